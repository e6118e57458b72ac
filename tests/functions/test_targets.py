"""Each target runs alone under functions-framework and answers with nothing but its environment."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from functions.table import FUNCTIONS, Reach, find_function
from functions.web.publishing import PATIENCE_SECONDS
from tests.functions.conftest import Place, Start, absent
from tests.pictures import photograph, recompressed
from tests.served import Served
from tests.waiting import until

NEEDS = {
    Reach.DATABASE: ("sqlmodel", "sqlalchemy", "alembic", "psycopg"),
    Reach.STORE: ("fsspec", "s3fs", "boto3"),
}
"""Packages that only those need who reach such a thing; threatexchange itself imports faiss."""

ORIGINAL = {"photo": ("original.png", photograph("coffee.png"))}
COPY = {"photo": ("copy.jpg", recompressed(photograph("coffee.png")))}


def test_from_nothing_to_a_match(hasher: Served, matcher: Served, curator: Served) -> None:
    """What one process banks, another matches an altered copy with, hashed by a third."""
    assert matcher.get("/status").status_code == 503
    assert curator.post("/c/banks", json={"name": "KNOWN"}).status_code == 201
    banked = curator.post("/c/bank/KNOWN/content", files=ORIGINAL)
    assert banked.status_code == 200, banked.text
    assert banked.json()["signals"] == hasher.post("/h/hash", files=ORIGINAL).json()

    signal = hasher.post("/h/hash", files=COPY).json()["pdq"]
    query = {"signal_type": "pdq", "min_snapshot": banked.headers["X-HMA-Snapshot"]}
    found = matcher.get("/m/lookup", signal=signal, **query)
    assert [match["bank_content_id"] for match in found.json()["KNOWN"]] == [banked.json()["id"]]
    assert matcher.post("/m/lookup", files=COPY).json() == {"pdq": found.json()}


def test_pages_ask_a_function_of_their_own(start: Start, place: Place, curator: Served) -> None:
    """The ui function finds what another process banked, and makes banks that it knows."""
    with start("ui", {**place.index, **place.catalog}) as ui:
        made = ui.post("/ui/create_bank", data={"bank_name": "FROM_A_PAGE"})
        assert made.status_code == 302, made.text
        banked = curator.post("/c/bank/FROM_A_PAGE/signal", json={"pdq": "a5" * 32})
        asked = {"signal_type": "pdq", "signal_value": "a5" * 32}

        def found() -> bool:
            answer = ui.post("/ui/query_hash", data=asked)
            return answer.status_code == 200 and answer.json()["banks"] == ["FROM_A_PAGE"]

        until(found)
        (match,) = ui.post("/ui/query_hash", data=asked).json()["matches"]
        assert match["content_id"] == banked.json()["id"]


def test_removal_reaches_other_processes(matcher: Served, curator: Served) -> None:
    """Without asking for a snapshot, a reader follows by itself within its refresh interval."""
    signal = "5" * 64
    curator.post("/c/banks", json={"name": "PASSING"})
    content = curator.post("/c/bank/PASSING/signal", json={"pdq": signal}).json()["id"]

    def matches() -> bool:
        return "PASSING" in matcher.get("/m/lookup", signal=signal, signal_type="pdq").json()

    until(matches)
    curator.delete(f"/c/bank/PASSING/content/{content}")
    until(lambda: not matches())


def test_answers_without_the_catalog(
    hasher: Served, matcher: Served, curator: Served, place: Place
) -> None:
    """With the database deleted, hashing and matching go on, with all that a match tells."""
    curator.post("/c/banks", json={"name": "LASTING"})
    banked = curator.post(
        "/c/bank/LASTING/content", files=ORIGINAL, data={"note": "kept", "metadata": "{}"}
    )
    for file in place.folder.glob("catalog.db*"):
        file.unlink()
    signal = hasher.post("/h/hash", files=COPY).json()["pdq"]
    found = matcher.get(
        "/m/lookup",
        signal=signal,
        signal_type="pdq",
        include_metadata="true",
        min_snapshot=banked.headers["X-HMA-Snapshot"],
    )
    (match,) = found.json()["LASTING"]
    assert (match["bank_content_id"], match["note"]) == (banked.json()["id"], "kept")


def test_publish_repairs_what_was_left_behind(start: Start, tmp_path: Path) -> None:
    """Curating while the store is away succeeds; the scheduled publish makes it match."""
    store = tmp_path / "store"
    environ = {
        "HMA_STORE_URL": f"file://{store}",
        "HMA_CACHE_DIR": str(tmp_path / "cache"),
        "HMA_DATABASE_URL": f"sqlite:///{tmp_path / 'catalog.db'}",
    }
    with start("curate", environ) as curator, start("publish", environ) as publisher:
        curator.post("/c/banks", json={"name": "LATE"})
        banked = curator.post("/c/bank/LATE/signal", json={"pdq": "7" * 64})
        assert banked.status_code == 200
        assert "X-HMA-Snapshot" not in banked.headers
        assert publisher.post("/publish").status_code == 503
        store.mkdir()
        assert publisher.post("/publish").json()["pdq"] == 1
    with start("match", environ) as matcher, start("status", environ) as status:
        assert status.get("/status").text == "I-AM-ALIVE"
        assert "LATE" in matcher.get("/m/lookup", signal="7" * 64, signal_type="pdq").json()


def test_curating_does_not_wait_for_a_store(start: Start, tmp_path: Path) -> None:
    """With a store that takes connections and never answers, clients do not run out of patience."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {
            "HMA_STORE_URL": "s3://bucket",
            "HMA_STORE_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "HMA_STORE_KEY": "key",
            "HMA_STORE_SECRET": "secret",
            "HMA_DATABASE_URL": f"sqlite:///{tmp_path / 'catalog.db'}",
        }
        with start("curate", environ) as curator:
            curator.post("/c/banks", json={"name": "PATIENT"})
            with ThreadPoolExecutor(8) as clients:
                began = time.monotonic()
                answers = list(clients.map(lambda n: banked(curator, n), range(8)))
                waited = time.monotonic() - began
            assert [answer.status_code for answer in answers] == [200] * 8
            # A busy machine has its part in it; the store's client alone would wait for 12 s, and
            # one client after the other for 16.
            assert waited < PATIENCE_SECONDS + 4


def banked(curator: Served, number: int) -> requests.Response:
    return curator.post("/c/bank/PATIENT/signal", json={"pdq": f"{number:064x}"})


def test_shards_and_their_router(
    start: Start, place: Place, curator: Served, matcher: Served
) -> None:
    """Under functions-framework, the router without a store or what opens one: as one matcher."""
    curator.post("/c/banks", json={"name": "SHARED"})
    banked = curator.post("/c/bank/SHARED/signal", json={"pdq": "3c" * 32})
    query = {"signal": "3c" * 32, "signal_type": "pdq"}
    query["min_snapshot"] = banked.headers["X-HMA-Snapshot"]
    held = {**place.index, "HMA_SIGNAL_TYPES": "pdq"}
    asks = {"HMA_SIGNAL_TYPES": "pdq", "HMA_SHARD_TIMEOUT_SECONDS": "30"}
    with (
        start("shard", {**held, "HMA_SHARD": "1/2"}) as first,
        start("shard", {**held, "HMA_SHARD": "2/2"}) as second,
        start(
            "route",
            {**asks, "HMA_SHARDS": f"{second.url},{first.url}"},
            ("fsspec", "s3fs", "sqlmodel"),
        ) as router,
    ):
        assert [one.get("/status").status_code for one in (first, second, router)] == [200] * 3
        found = router.get("/m/lookup", **query)
        assert found.status_code == 200, found.text
        assert found.json() == matcher.get("/m/lookup", **query).json()
        assert [one["bank_content_id"] for one in found.json()["SHARED"]] == [banked.json()["id"]]
        assert router.get("/site-map").json() == matcher.get("/site-map").json()


@pytest.mark.parametrize("verb", [function.verb for function in FUNCTIONS])
def test_target_without_settings(start: Start, verb: str) -> None:
    """With no environment at all each lives, has a site map, and fails in words.

    What the table does not say that it reaches is not installed there.
    """
    reaches = find_function(verb).reaches
    # A router that is told of no shards looks for an index of its own.
    reaches |= {Reach.STORE} if Reach.SHARDS in reaches else set()
    without = [name for reach, names in NEEDS.items() if reach not in reaches for name in names]
    with start(verb, {}, without) as served:
        assert served.get("/site-map").json()
        for method, path, variable in {
            "hash": (),
            "match": (("GET", "/m/index/status", "HMA_STORE_URL"),),
            "shard": (),
            "route": (("GET", "/m/index/status", "HMA_SHARDS"),),
            "curate": (("GET", "/c/banks", "HMA_DATABASE_URL"),),
            "publish": (("POST", "/publish", "HMA_"),),
            "fetch": (("POST", "/fetch", "HMA_DATABASE_URL"),),
            "ui": (("POST", "/ui/bank/B/content/find", "HMA_DATABASE_URL"),),
            "status": (),
        }[verb]:
            answer = served.request(method, path, json={})
            assert answer.status_code == 503
            assert variable in answer.text


def test_absent_modules_are_absent(tmp_path: Path) -> None:
    """What the other tests rely on: such a module cannot be imported."""
    environ = absent(tmp_path, ["sqlmodel"])
    imported = subprocess.run(
        [sys.executable, "-c", "import sqlmodel"], env=environ, capture_output=True, check=False
    )
    assert b"sqlmodel is not installed" in imported.stderr
