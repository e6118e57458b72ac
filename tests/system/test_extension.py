"""An extension of threatexchange, installed apart from us, works through the API end to end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.web_site import Page, site
from tests.served import Served
from tests.system.runtime import running

PACKAGE = Path(__file__).parents[1] / "extension_example"
FEED = [
    "+ one the cat sat on a red mat",
    "+ two somebody threw the ball over our fence",
    "- one",
    "+ three nothing to see here please move along",
]


def so_far(lines: int) -> Page:
    """The feed when it had no more lines than that."""
    return Page("\n".join(FEED[:lines]).encode(), "text/plain")


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Served]:
    path = os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")])
    environ = {"PYTHONPATH": path.rstrip(os.pathsep), "HMA_EXTENSIONS": "captions"}
    with running(tmp_path / "data", store="files", environ=environ) as served:
        yield served


def found(served: Served, caption: str) -> list[str]:
    """Distances of what a caption's file matches in the bank of the exchange."""
    snapshot = served.post("/publish").headers["X-HMA-Snapshot"]
    answer = served.post(
        "/m/lookup",
        params={"min_snapshot": snapshot},
        files={"caption": ("caption.txt", caption.encode())},
    )
    assert answer.status_code == 200, answer.text
    matches = answer.json()["caption_words"].get("FEED", [])
    return [match["distance"] for match in matches]


def test_its_exchange_content_and_signal_work_through_the_api(extended: Served) -> None:
    """Configured from its schema, fetched with its checkpoint, hashed, matched, withdrawn."""
    assert "caption_feed" in extended.get("/c/exchanges/apis").json()
    schema = extended.get("/c/exchanges/api/caption_feed/schema").json()
    fields = {one["name"]: one["required"] for one in schema["config_schema"]["fields"]}
    assert fields == {"feed": True}
    assert {"name": "caption", "enabled": True} in extended.get("/c/content_type").json()
    types = {one["name"] for one in extended.get("/c/signal_type").json()}
    assert types == {"pdq", "video_md5", "caption_words"}
    pages = {"/feed": so_far(2)}
    with site(pages) as address:
        made = extended.post(
            "/c/exchanges",
            json={"bank": "FEED", "api": "caption_feed", "api_json": {"feed": f"{address}/feed"}},
        )
        assert made.status_code == 201, made.text
        fetched = extended.post("/fetch", params={"exchange": "FEED"}).json()["exchanges"]["FEED"]
        assert (fetched["error"], fetched["fetched"]) == (None, 2)
        assert found(extended, "The cat sat on a mat") == ["1"]
        assert found(extended, "Somebody threw a ball over our fence") == ["2"]
        assert found(extended, "Another thing altogether") == []
        pages["/feed"] = so_far(4)
        fetched = extended.post("/fetch", params={"exchange": "FEED"}).json()["exchanges"]["FEED"]
        assert (fetched["error"], fetched["fetched"]) == (None, 2)
        assert found(extended, "The cat sat on a mat") == []
        assert found(extended, "Nothing to see here, please move along") == ["0"]
    hashed = extended.post("/h/hash", files={"caption": ("c.txt", b"Red mat, black cat")}).json()
    assert hashed == {"caption_words": "black cat mat red"}
    compared = extended.post("/m/compare", json={"caption_words": ["a b c", "a b d"]}).json()
    assert compared == {"caption_words": [True, {"distance": 2}]}
