"""The fetch function alone: what it downloads, curate shows and match finds."""

from tests.functions.conftest import Place, Start
from tests.served import Served


def test_fetches_what_curate_has_been_told_of(
    start: Start, place: Place, curator: Served, matcher: Served
) -> None:
    """Three processes that share a catalog and a store, and nothing else."""
    assert curator.post("/c/exchanges", json={"bank": "SAMPLES", "api": "sample"}).ok
    with start("fetch", {**place.index, **place.catalog}) as fetcher:
        answer = fetcher.post("/fetch")
        report = answer.json()["exchanges"]["SAMPLES"]
        assert (report["error"], report["up_to_date"]) == (None, True)
        assert report["added"] > 0
        assert curator.get("/c/exchange/SAMPLES/progress").json()["ready"] is True
        signal = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
        found = matcher.get(
            "/m/lookup",
            signal=signal,
            signal_type="pdq",
            min_snapshot=answer.headers["X-HMA-Snapshot"],
        )
        assert list(found.json()) == ["SAMPLES"], found.text
        assert fetcher.get("/status/live").status_code == 200
        assert "/fetch" in fetcher.get("/site-map").json()
