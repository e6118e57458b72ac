"""Videos over HTTP: hashed, banked, found by their copies, and gone when they are removed."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from core.hashing import vpdq
from tests.contract.answers import message
from tests.contract.conftest import Serve
from tests.served import Served
from tests.videos import OTHER, black, film

COPY = {"size": (214, 160), "quality": 32, "start": 2, "seconds": 6}


@pytest.fixture(scope="module")
def videos(serve: Serve) -> Iterator[Served]:
    """A server with vPDQ beside the defaults, and a bank."""
    with serve(signal_types="pdq,video_md5,vpdq") as served:
        assert served.post("/c/banks", json={"name": "FILMS"}).status_code == 201
        yield served


def looked_up(served: Served, content: bytes, **params: str) -> dict[str, dict[str, list[object]]]:
    snapshot = served.post("/publish").headers["X-HMA-Snapshot"]
    answer = served.post(
        "/m/lookup",
        params={"min_snapshot": snapshot, **params},
        files={"video": ("film.mp4", content, "video/mp4")},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, dict[str, list[object]]] = answer.json()
    return found


def test_a_video_from_hash_to_removal(videos: Served) -> None:
    """Its MD5 finds it alone; its frames find an excerpt that was scaled and encoded again."""
    hashed = videos.post("/h/hash", files={"video": film()}).json()
    assert set(hashed) == {"video_md5", "vpdq"}
    assert vpdq.normalise_signal(hashed["vpdq"]) == hashed["vpdq"]

    answer = videos.post("/c/bank/FILMS/content", files={"video": film()})
    assert answer.status_code == 200, answer.text
    content_id = answer.json()["id"]
    assert answer.json()["signals"] == hashed

    found = looked_up(videos, film(**COPY))
    assert found["video_md5"] == {}
    (match,) = found["vpdq"]["FILMS"]
    assert match == {"bank_content_id": content_id, "distance": "100%[50%]"}
    assert looked_up(videos, film(OTHER)) == {"video_md5": {}, "vpdq": {}}

    raw = videos.get("/m/raw_lookup", signal_type="vpdq", signal=hashed["vpdq"])
    assert raw.json() == {"matches": [content_id]}
    raw = videos.get(
        "/m/raw_lookup", signal_type="vpdq", signal=hashed["vpdq"], include_distance="true"
    )
    assert raw.json() == {"matches": [{"bank_content_id": content_id, "distance": "100%[100%]"}]}
    looked = videos.get("/m/lookup", signal_type="vpdq", signal=hashed["vpdq"])
    assert [one["bank_content_id"] for one in looked.json()["FILMS"]] == [content_id]

    assert videos.delete(f"/c/bank/FILMS/content/{content_id}").status_code == 200
    assert looked_up(videos, film(**COPY))["vpdq"] == {}


def test_signals_are_compared(videos: Served) -> None:
    """With both percentages, under threatexchange's names for them."""
    whole, part = (
        videos.post("/h/hash", files={"video": one}).json()["vpdq"]
        for one in (film(), film(seconds=6))
    )
    answer = videos.post("/m/compare", json={"vpdq": [part, whole]})
    matches, percents = answer.json()["vpdq"]
    assert matches
    assert percents == {"query_match_percent": 100.0, "compared_match_percent": 50.0}


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ("x", "invalid signal: Expecting value: line 1 column 1 (char 0)"),
        (json.dumps(["0" * 64]), "invalid signal: a frame of a vpdq signal is `hash,quality,time"),
        (json.dumps(["0" * 64 + ",9,0.0"]), "invalid signal: no frame has a quality of 50 or mo"),
    ],
)
def test_a_malformed_signal_is_400(videos: Served, signal: str, said: str) -> None:
    """Looked up or banked: with the reason."""
    for path in "/m/raw_lookup", "/m/lookup":
        answer = videos.get(path, signal_type="vpdq", signal=signal)
        assert message(answer, 400).startswith(said)
    banked = videos.post("/c/bank/FILMS/signal", json={"vpdq": signal})
    assert message(banked, 400).startswith("Invalid vpdq signal: " + said[16:])


def test_what_is_no_video_is_400(videos: Served) -> None:
    """Said of the type that cannot hash it; the others can be asked for alone."""
    only = {"types": "vpdq"}
    answer = videos.post("/h/hash", params=only, files={"video": b"not really a video"})
    assert message(answer, 400).startswith("the video cannot be decoded: ")
    answer = videos.post("/h/hash", params={"types": "video_md5"}, files={"video": b"no video"})
    assert list(answer.json()) == ["video_md5"]


def test_a_black_video_has_an_empty_signal(videos: Served) -> None:
    """As a blank picture has."""
    assert videos.post("/h/hash", files={"video": black()}).json()["vpdq"] == ""


def test_a_type_that_fails_hides_no_other(videos: Served) -> None:
    """What the MD5 finds is answered though no frame can be decoded; a header names what is not."""
    broken = film()[:3000]
    files = {"video": ("film.mp4", broken, "video/mp4")}
    refused = message(videos.post("/c/bank/FILMS/content", files=files), 400)
    assert "the video cannot be decoded" in refused
    md5 = hashlib.md5(broken, usedforsecurity=False).hexdigest()
    banked = videos.post("/c/bank/FILMS/signal", json={"video_md5": md5})
    newest = {"min_snapshot": banked.headers["X-HMA-Snapshot"]}
    match = {"bank_content_id": banked.json()["id"], "distance": "-"}
    hashes, found = {"video_md5": md5}, {"video_md5": {"FILMS": [match]}}
    for path, answer in {
        "/h/hash": hashes,
        "/m/lookup": found,
        "/m/hash_and_match": {"hashes": hashes, "matches": found},
    }.items():
        hashed = videos.post(path, params=newest, files=files)
        assert (hashed.status_code, hashed.json()) == (200, answer)
        assert hashed.headers["X-HMA-Not-Hashed"] == "vpdq"
    queried = videos.post("/ui/query", files=files)
    assert queried.json()["banks"] == ["FILMS"]
    assert queried.headers["X-HMA-Not-Hashed"] == "vpdq"
    only = videos.post("/h/hash", params={"types": "vpdq"}, files=files)
    assert message(only, 400) == refused
    assert "X-HMA-Not-Hashed" not in videos.post("/h/hash", files={"video": film()}).headers


def test_a_video_of_nothing_is_found_by_its_md5(videos: Served) -> None:
    """A film without a frame that counts has no vPDQ to look up, and its MD5 is looked up still."""
    dark = black()
    md5 = hashlib.md5(dark, usedforsecurity=False).hexdigest()
    banked = videos.post("/c/bank/FILMS/signal", json={"video_md5": md5})
    newest = {"min_snapshot": banked.headers["X-HMA-Snapshot"]}
    found = videos.post("/m/lookup", params=newest, files={"video": dark})
    assert found.status_code == 200, found.text
    assert list(found.json()) == ["video_md5"]
    assert [one["bank_content_id"] for one in found.json()["video_md5"]["FILMS"]] == [
        banked.json()["id"]
    ]
    assert found.headers["X-HMA-Not-Hashed"] == "vpdq"
