"""What lookups can beyond HMA: thresholds, allow-lists, batches, hash and match in one answer."""

import random
from typing import Any

import pytest
import requests

from tests.contract.answers import assert_canonical, message
from tests.deployment import altered
from tests.pictures import blank, photograph, recompressed
from tests.served import Served

PHOTO = ("picture.png", photograph("coffee.png"), "image/png")
COPY = ("copy.jpg", recompressed(photograph("coffee.png")), "image/jpeg")


def near(signal: str, distance: int) -> str:
    return altered(random.Random(distance), signal, distance)


def banked(api: Served, bank: str, signal: str, **settings: Any) -> tuple[int, str]:
    """The content that `signal` becomes in `bank`, and a snapshot that has the bank's settings."""
    added = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    assert added.status_code == 200, added.text
    changed = api.put(f"/c/bank/{bank}", json=settings)
    assert changed.status_code == 200, changed.text
    return int(added.json()["id"]), changed.headers["X-HMA-Snapshot"]


def distances(answer: requests.Response) -> dict[str, list[str]]:
    """The distances of the matches, by bank."""
    assert answer.status_code == 200, answer.text
    assert_canonical(answer)
    return {
        bank: [match["distance"] for match in matches] for bank, matches in answer.json().items()
    }


@pytest.mark.parametrize(
    ("threshold", "distance", "matches"),
    [(0, 0, 1), (0, 1, 0), (10, 10, 1), (10, 11, 0), (31, 31, 1)],
)
def test_request_may_be_stricter(
    api: Served, bank: str, signal: str, threshold: int, distance: int, matches: int
) -> None:
    """A threshold of its own, inclusive, in each kind of lookup."""
    _, seen = banked(api, bank, signal)
    query = {
        "signal": near(signal, distance),
        "signal_type": "pdq",
        "min_snapshot": seen,
        "threshold": threshold,
    }
    assert len(api.get("/m/lookup", **query).json()) == matches
    assert len(api.get("/m/raw_lookup", **query).json()["matches"]) == matches


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"threshold": 32}, "the threshold of pdq must be between 0 and 31"),
        (
            {"threshold": 1, "signal_type": "video_md5", "signal": "0" * 32},
            "signals of type video_md5 have no distance in bits, and so no threshold",
        ),
    ],
)
def test_threshold_has_to_make_sense(api: Served, query: dict[str, Any], said: str) -> None:
    """It cannot find more than the type does, and a type without distances has none."""
    query = {"signal": "0" * 64, "signal_type": "pdq"} | query
    assert message(api.get("/m/lookup", **query), 400) == said
    assert message(api.get("/m/raw_lookup", **query), 400) == said
    assert api.get("/m/lookup", **query | {"threshold": "x"}).status_code == 422
    assert api.get("/m/lookup", **query | {"threshold": -1}).status_code == 422


def test_bank_may_be_stricter(api: Served, bank: str, signal: str) -> None:
    """A bank's threshold holds in lookups, with the request's if that is stricter still."""
    _, seen = banked(api, bank, signal, thresholds={"pdq": 10})
    query = {"signal_type": "pdq", "min_snapshot": seen}
    assert distances(api.get("/m/lookup", signal=near(signal, 10), **query)) == {bank: ["10"]}
    assert distances(api.get("/m/lookup", signal=near(signal, 11), **query)) == {}
    assert distances(api.get("/m/lookup", signal=near(signal, 9), threshold=8, **query)) == {}
    raw = api.get("/m/raw_lookup", signal=near(signal, 31), **query)
    assert len(raw.json()["matches"]) == 1


def test_bank_shows_what_it_has_been_told(api: Served, bank: str) -> None:
    """Only then: a bank that HMA could have is answered as HMA does."""
    plain = {"matching_enabled_ratio": 1.0, "name": bank}
    told = {"allow_list": True, "thresholds": {"pdq": 3}}
    assert api.put(f"/c/bank/{bank}", json=told).json() == plain | told
    assert api.put(f"/c/bank/{bank}", json={"enabled_ratio": 1}).json() == plain | told
    assert api.get(f"/c/bank/{bank}").json() == plain | told
    untold = {"allow_list": False, "thresholds": {}}
    assert api.put(f"/c/bank/{bank}", json=untold).json() == plain
    made = api.post("/c/banks", json={"name": f"{bank}_B", **told})
    assert made.json() == plain | told | {"name": f"{bank}_B"}


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"pdq": 32}, "the threshold of pdq must be between 0 and 31"),
        ({"pdq": -1}, "the threshold of pdq must be between 0 and 31"),
        ({"sha0": 1}, "No such signal type sha0"),
        ({"video_md5": 1}, "signals of type video_md5 have no distance in bits"),
    ],
)
def test_thresholds_of_a_bank_are_checked(
    api: Served, bank: str, thresholds: dict[str, int], said: str
) -> None:
    """As those of a request, for a new bank and for one that exists."""
    refused = api.put(f"/c/bank/{bank}", json={"thresholds": thresholds})
    assert message(refused, 400).startswith(said)
    made = api.post("/c/banks", json={"name": f"{bank}_B", "thresholds": thresholds})
    assert message(made, 400).startswith(said)
    assert api.put(f"/c/bank/{bank}", json={"thresholds": {"pdq": "x"}}).status_code == 422


@pytest.fixture
def allowed(api: Served, bank: str) -> str:
    """The name of an allow-list."""
    name = f"{bank}_ALLOWED"
    assert api.post("/c/banks", json={"name": name, "allow_list": True}).status_code == 201
    return name


def test_allow_list_suppresses_other_banks(
    api: Served, bank: str, allowed: str, signal: str
) -> None:
    """What it matches matches no bank, whichever banks are asked for; it answers only by name."""
    banked(api, bank, signal)
    _, seen = banked(api, allowed, near(signal, 20))
    query = {"signal_type": "pdq", "min_snapshot": seen}
    both = near(signal, 20)
    assert distances(api.get("/m/lookup", signal=both, **query)) == {}
    assert distances(api.get("/m/lookup", signal=both, banks=bank, **query)) == {}
    named = api.get("/m/lookup", signal=both, banks=f"{bank},{allowed}", **query)
    assert distances(named) == {allowed: ["0"]}
    assert len(api.get("/m/raw_lookup", signal=both, **query).json()["matches"]) == 2


@pytest.mark.parametrize(
    "settings", [{"enabled_ratio": 0}, {"thresholds": {"pdq": 4}}, {"allow_list": False}]
)
def test_allow_list_that_does_not_match_suppresses_nothing(
    api: Served, bank: str, allowed: str, signal: str, settings: dict[str, Any]
) -> None:
    """One that takes no part, one that is stricter, and one that is none any more."""
    banked(api, bank, signal)
    _, seen = banked(api, allowed, near(signal, 5), **settings)
    query = {"signal": signal, "signal_type": "pdq", "min_snapshot": seen}
    assert distances(api.get("/m/lookup", **query))[bank] == ["0"]


def test_disabled_content_of_an_allow_list_suppresses_nothing(
    api: Served, bank: str, allowed: str, signal: str
) -> None:
    """It matches no more than disabled content of any bank."""
    banked(api, bank, signal)
    content_id, _ = banked(api, allowed, signal)
    path = f"/c/bank/{allowed}/content/{content_id}"
    seen = api.put(path, json={"disable_until_ts": 0}).headers["X-HMA-Snapshot"]
    query = {"signal": signal, "signal_type": "pdq", "min_snapshot": seen}
    assert distances(api.get("/m/lookup", **query)) == {bank: ["0"]}


def test_hash_and_match(api: Served, bank: str, pages: str) -> None:
    """One answer has what `/h/hash` and `/m/lookup` say of the same file or URL."""
    added = api.post(f"/c/bank/{bank}/content", files={"photo": PHOTO}, data={"note": "n"})
    query = {"banks": bank, "min_snapshot": added.headers["X-HMA-Snapshot"]}
    both = api.post("/m/hash_and_match", params=query, files={"photo": COPY})
    assert_canonical(both)
    assert both.json() == {
        "hashes": api.post("/h/hash", files={"photo": COPY}).json(),
        "matches": api.post("/m/lookup", params=query, files={"photo": COPY}).json(),
    }
    assert both.json()["matches"]["pdq"][bank]
    assert both.headers["X-HMA-Snapshot"].startswith("pdq=")
    full = api.post(
        "/m/hash_and_match", params=query | {"include_metadata": "true"}, files={"photo": COPY}
    )
    assert full.json()["matches"]["pdq"][bank][0]["note"] == "n"
    url = f"{pages}/photo.png"
    fetched = api.get("/m/hash_and_match", url=url, **query)
    assert fetched.json() == {
        "hashes": api.get("/h/hash", url=url).json(),
        "matches": api.get("/m/lookup", url=url, **query).json(),
    }


def test_hash_and_match_of_too_little(api: Served) -> None:
    """A picture that PDQ can tell nothing about is hashed, and said not to be looked up."""
    answer = api.post("/m/hash_and_match", files={"photo": ("blank.png", blank())})
    assert (answer.status_code, answer.json()) == (200, {"hashes": {"pdq": ""}, "matches": {}})
    assert api.get("/m/hash_and_match").status_code == 422
    assert api.get("/m/hash_and_match", url="file:///x").status_code == 400


def test_batch_lookup(api: Served, bank: str) -> None:
    """In the order asked, each what a lookup alone says; a malformed one spoils no other."""
    signals = [random.Random(n).randbytes(32).hex() for n in range(1000, 1040)]
    for signal in signals:
        added = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal, "note": signal[:4]})
    seen = added.headers["X-HMA-Snapshot"]
    asked = [near(signal, at % 40) for at, signal in enumerate(signals)]
    body = {"signal_type": "pdq", "banks": [bank], "min_snapshot": seen, "include_metadata": True}
    answer = api.post("/m/batch_lookup", json=body | {"signals": ["x", *asked, "é"]})
    assert_canonical(answer)
    assert answer.headers["X-HMA-Snapshot"].startswith("pdq=")
    first, *results, last = answer.json()["results"]
    assert first == last == {"error": "invalid signal: invalid PDQ hash"}
    query = {"signal_type": "pdq", "banks": bank, "include_metadata": "true"}
    alone = [api.get("/m/lookup", signal=signal, **query).json() for signal in asked]
    assert results == [{"matches": matches} for matches in alone]
    assert sum(bool(matches) for matches in alone) == 32


def test_batch_lookup_has_one_coin(api: Served, bank: str, signal: str) -> None:
    """The same draw for every signal; a seed makes it reproducible, bypass lets all take part."""
    _, seen = banked(api, bank, signal, enabled_ratio=0.4782479962566342)
    body = {"signal_type": "pdq", "signals": [signal] * 3, "min_snapshot": seen}
    for told, matches in ({"seed": "1"}, 0), ({"bypass_coinflip": True}, 1), ({"seed": "1234"}, 1):
        results = api.post("/m/batch_lookup", json=body | told).json()["results"]
        assert [len(one["matches"]) for one in results] == [matches] * 3


def test_batch_lookup_keeps_thresholds_and_allow_lists(
    api: Served, bank: str, allowed: str, signal: str
) -> None:
    """As a lookup does."""
    banked(api, bank, signal)
    _, seen = banked(api, allowed, near(signal, 25), thresholds={"pdq": 0})
    body = {"signal_type": "pdq", "min_snapshot": seen}
    both = {"signals": [signal, near(signal, 25)]}
    results = api.post("/m/batch_lookup", json=body | both).json()["results"]
    assert [list(one["matches"]) for one in results] == [[bank], []]
    stricter = api.post(
        "/m/batch_lookup", json=body | {"signals": [near(signal, 3)], "threshold": 2}
    )
    assert stricter.json() == {"results": [{"matches": {}}]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"signal_type": "pdq"}, 422),
        ({"signal_type": "pdq", "signals": ["0"] * 1001}, 422),
        ({"signal_type": "pdq", "signals": [1]}, 422),
        ({"signal_type": "sha0", "signals": []}, 400),
        ({"signal_type": "pdq", "signals": [], "threshold": 32}, 400),
        ({"signal_type": "pdq", "signals": [], "min_snapshot": "x"}, 400),
        ({"signal_type": "pdq", "signals": [], "min_snapshot": "99999999"}, 503),
        ({"signal_type": "pdq", "signals": []}, 200),
    ],
)
def test_batch_lookup_is_checked(api: Served, body: dict[str, Any], status: int) -> None:
    """As a whole: types, thresholds, the snapshot, and how many there are."""
    assert api.post("/m/batch_lookup", json=body).status_code == status
