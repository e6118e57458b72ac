"""`/m/*`: every row, status and message."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.answers import assert_canonical, message
from tests.contract.conftest import Serve
from tests.deployment import altered
from tests.pictures import blank, photograph, recompressed
from tests.served import Served

PHOTO = ("picture.png", photograph("coffee.png"), "image/png")
COPY = ("copy.jpg", recompressed(photograph("coffee.png")), "image/jpeg")


@pytest.fixture(scope="module")
def matcher(serve: Serve) -> Iterator[Served]:
    """A server whose match function leaves hashing to others."""
    with serve(hash_in_match="false") as served:
        yield served


@pytest.fixture
def content_id(api: Served, bank: str, signal: str) -> int:
    """The content that `signal` was banked as."""
    answer = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


@pytest.fixture
def newest(api: Served, content_id: int) -> str:
    """The snapshot that has `content_id`, as lookups are told which to answer from."""
    return str(api.post("/publish").headers["X-HMA-Snapshot"])


def near(signal: str, distance: int) -> str:
    return altered(random.Random(distance), signal, distance)


def test_lookup_finds_what_was_banked(
    api: Served, bank: str, signal: str, content_id: int, newest: str
) -> None:
    """By bank: ids as integers, distances as text, nearest first."""
    answer = api.get("/m/lookup", signal=near(signal, 9), signal_type="pdq", min_snapshot=newest)
    assert answer.status_code == 200
    assert_canonical(answer)
    assert answer.json() == {bank: [{"bank_content_id": content_id, "distance": "9"}]}
    assert answer.headers["X-HMA-Snapshot"] in newest.split(", ")


@pytest.mark.parametrize(("distance", "matches"), [(0, 1), (31, 1), (32, 0)])
def test_threshold_is_inclusive(
    api: Served, signal: str, newest: str, distance: int, matches: int
) -> None:
    """31 bits match, 32 do not; no match is an empty object."""
    query = {"signal": near(signal, distance), "signal_type": "pdq", "min_snapshot": newest}
    assert len(api.get("/m/lookup", **query).json()) == matches
    assert len(api.get("/m/raw_lookup", **query).json()["matches"]) == matches


def test_raw_lookup(api: Served, bank: str, signal: str, content_id: int, newest: str) -> None:
    """Ids alone, or with distances."""
    query = {"signal": near(signal, 3), "signal_type": "pdq", "min_snapshot": newest}
    plain = api.get("/m/raw_lookup", **query)
    assert plain.json() == {"matches": [content_id]}
    assert_canonical(plain)
    assert plain.headers["X-HMA-Snapshot"].startswith("pdq=")
    for yes in "true", "1", "yes", "on", "t", "y":
        assert api.get("/m/raw_lookup", **query, include_distance=yes).json() == {
            "matches": [{"bank_content_id": content_id, "distance": "3"}]
        }
    assert api.get("/m/raw_lookup", **query, include_distance="no").json() == plain.json()


def test_metadata_and_note_ride_inside_the_match(api: Served, bank: str) -> None:
    """Asked for, they are in the match object, never beside the banks; else they are absent."""
    fields = {"metadata": '{"content_id":"a"}', "note": "n"}
    added = api.post(f"/c/bank/{bank}/content", files={"photo": PHOTO}, data=fields)
    seen = added.headers["X-HMA-Snapshot"]
    query = {"signal": added.json()["signals"]["pdq"], "signal_type": "pdq", "min_snapshot": seen}
    bare = {"bank_content_id": added.json()["id"], "distance": "0"}
    full = bare | {"metadata": {"content_id": "a"}, "note": "n"}
    assert api.get("/m/lookup", **query).json()[bank] == [bare]
    assert api.get("/m/lookup", **query, include_metadata="true").json()[bank] == [full]
    raw = api.get("/m/raw_lookup", **query, include_metadata="true", banks=bank)
    assert raw.json() == {"matches": [full]}


def test_banks_are_chosen_by_name(api: Served, bank: str, signal: str, content_id: int) -> None:
    """A list by commas, not trimmed, case-sensitive; empty is all of them."""
    api.post("/c/banks", json={"name": f"{bank}_B"})
    other = api.post(f"/c/bank/{bank}_B/signal", json={"pdq": signal}).json()["id"]
    newest = api.post("/publish").headers["X-HMA-Snapshot"]
    query = {"signal": signal, "signal_type": "pdq", "min_snapshot": newest}
    for banks, expected in [
        ("", {bank: content_id, f"{bank}_B": other}),
        (bank, {bank: content_id}),
        (f"{bank}_B,NO_SUCH", {f"{bank}_B": other}),
        (f" {bank}", {}),
        (bank.lower(), {}),
        (f"{bank},{bank}_B", {bank: content_id, f"{bank}_B": other}),
    ]:
        found = api.get("/m/lookup", **query, banks=banks).json()
        assert {name: match["bank_content_id"] for name, (match,) in found.items()} == expected
        raw = api.get("/m/raw_lookup", **query, banks=banks).json()["matches"]
        assert sorted(raw) == sorted(expected.values())


def test_types_without_a_distance_say_so(api: Served, bank: str) -> None:
    """An MD5 matches itself and nothing else, at distance "-"."""
    md5 = random.Random("md5").randbytes(16).hex()
    added = api.post(f"/c/bank/{bank}/signal", json={"video_md5": md5})
    seen = added.headers["X-HMA-Snapshot"]
    query = {"signal_type": "video_md5", "min_snapshot": seen}
    assert api.get("/m/lookup", signal=md5, **query).json() == {
        bank: [{"bank_content_id": added.json()["id"], "distance": "-"}]
    }
    assert api.get("/m/lookup", signal=near(md5, 1), **query).json() == {}


def test_disabled_content_matches_only_raw(
    api: Served, bank: str, signal: str, content_id: int
) -> None:
    """It stops matching in a lookup, and matches again when it is enabled."""
    path = f"/c/bank/{bank}/content/{content_id}"
    for until, matches in (0, 0), (1, 1), (int(time.time()) + 3600, 0), (1_700_000_000, 1):
        seen = api.put(path, json={"disable_until_ts": until}).headers["X-HMA-Snapshot"]
        query = {"signal": signal, "signal_type": "pdq", "min_snapshot": seen}
        assert len(api.get("/m/lookup", **query).json()) == matches
        assert api.get("/m/raw_lookup", **query).json() == {"matches": [content_id]}


def test_deleted_content_matches_no_more(
    api: Served, bank: str, signal: str, content_id: int
) -> None:
    """Not even raw."""
    seen = api.delete(f"/c/bank/{bank}/content/{content_id}").headers["X-HMA-Snapshot"]
    query = {"signal": signal, "signal_type": "pdq", "min_snapshot": seen}
    assert api.get("/m/lookup", **query).json() == {}
    assert api.get("/m/raw_lookup", **query).json() == {"matches": []}


def test_each_of_many_changes_is_in_its_snapshot(api: Served, bank: str) -> None:
    """Of 32 changes at once each names a snapshot that has it, though they share publications."""
    signals = [random.Random(n).randbytes(32).hex() for n in range(32)]

    def change(signal: str) -> dict[str, Any]:
        added = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
        query = {"signal": signal, "signal_type": "pdq", "banks": bank}
        floor = added.headers["X-HMA-Snapshot"]
        return dict(api.get("/m/lookup", **query, min_snapshot=floor).json())

    with ThreadPoolExecutor(32) as clients:
        assert [len(found[bank]) for found in clients.map(change, signals)] == [1] * 32


@pytest.mark.parametrize(
    ("ratio", "query", "matches"),
    [
        (0.4782479962566343, {"seed": "1"}, 1),
        (0.4782479962566342, {"seed": "1"}, 0),
        (0.7720246314157545, {"seed": "abc"}, 1),
        (0.7720246314157544, {"seed": "abc"}, 0),
        (0.24836460312826447, {"seed": "1234"}, 1),
        (0.2483646031282644, {"seed": "1234"}, 0),
        (0.0, {}, 0),
        (1.0, {}, 1),
        (0.0, {"bypass_coinflip": "true"}, 1),
        (0.0, {"bypass_coinflip": "yes"}, 1),
        (0.0, {"bypass_coinflip": "false"}, 0),
    ],
)
def test_coin_toss(
    api: Served,
    bank: str,
    signal: str,
    content_id: int,
    ratio: float,
    query: dict[str, str],
    matches: int,
) -> None:
    """A bank takes part iff its ratio is at least CPython's draw for the seed, or on bypass."""
    changed = api.put(f"/c/bank/{bank}", json={"enabled_ratio": ratio})
    seen = changed.headers["X-HMA-Snapshot"]
    query |= {"signal": signal, "signal_type": "pdq", "min_snapshot": seen}
    assert len(api.get("/m/lookup", **query).json()) == matches
    raw = api.get("/m/raw_lookup", signal=signal, signal_type="pdq", min_snapshot=seen)
    assert raw.json() == {"matches": [content_id]}


def test_files_and_urls_are_looked_up(api: Served, bank: str, pages: str) -> None:
    """By signal type and bank; with `signal_type`, only what is inside that."""
    added = api.post(f"/c/bank/{bank}/content", files={"photo": ("p.png", photograph())})
    query = {"banks": bank, "min_snapshot": added.headers["X-HMA-Snapshot"]}
    inner = {bank: [{"bank_content_id": added.json()["id"], "distance": "0"}]}
    url = f"{pages}/photo.png"
    assert api.get("/m/lookup", url=url, **query).json() == {"pdq": inner}
    assert api.get("/m/lookup", url=url, signal_type="pdq", **query).json() == inner
    assert api.get("/m/lookup", url=url, signal_type="video_md5", **query).json() == {}
    posted = api.post("/m/lookup", params=query, files={"photo": ("p.png", photograph())})
    assert posted.json() == {"pdq": inner}
    assert_canonical(posted)


def test_altered_copy_is_found(api: Served, bank: str) -> None:
    """A smaller, recompressed copy of a photograph matches it; without a match banks are absent."""
    added = api.post(f"/c/bank/{bank}/content", files={"photo": PHOTO})
    query = {"banks": bank, "min_snapshot": added.headers["X-HMA-Snapshot"]}
    found = api.post("/m/lookup", params=query, files={"photo": COPY}).json()
    assert 0 <= int(found["pdq"][bank][0]["distance"]) <= 31
    other = ("other.png", photograph("chelsea.png"))
    assert api.post("/m/lookup", params=query, files={"photo": other}).json() == {"pdq": {}}


@pytest.mark.parametrize(("bypass", "matches"), [("true", 1), ("yes", 0), ("1", 0), ("", 0)])
def test_coin_of_an_upload(api: Served, bank: str, bypass: str, matches: int) -> None:
    """Beside an upload only the literal `true` bypasses the coin."""
    api.post(f"/c/bank/{bank}/content", files={"photo": PHOTO})
    seen = api.put(f"/c/bank/{bank}", json={"enabled_ratio": 0}).headers["X-HMA-Snapshot"]
    query = {"banks": bank, "bypass_coinflip": bypass, "min_snapshot": seen}
    found = api.post("/m/lookup", params=query, files={"photo": PHOTO}).json()
    assert len(found["pdq"]) == matches


def test_lookup_needs_something(api: Served) -> None:
    """A URL, or both signal and type, none of them empty."""
    said = "Either url or both signal and signal_type are required"
    for query in (
        {},
        {"signal": "0" * 64},
        {"signal_type": "pdq"},
        {"url": ""},
        {"signal": "", "signal_type": "pdq"},
    ):
        assert message(api.get("/m/lookup", **query), 400) == said


def test_raw_lookup_needs_both(api: Served) -> None:
    """Form B names each that is missing."""
    answer = api.get("/m/raw_lookup", include_distance="perhaps")
    assert answer.status_code == 422
    assert_canonical(answer)
    assert [(e["type"], e["loc"]) for e in answer.json()] == [
        ("missing", ["signal"]),
        ("missing", ["signal_type"]),
        ("bool_parsing", ["include_distance"]),
    ]
    assert all("/v/" in error["url"] for error in answer.json())
    malformed = api.get("/m/lookup", bypass_coinflip="perhaps")
    assert [(e["type"], e["loc"]) for e in malformed.json()] == [
        ("bool_parsing", ["bypass_coinflip"])
    ]


@pytest.mark.parametrize("path", ["/m/lookup", "/m/raw_lookup"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"signal": "x", "signal_type": "sha0"}, "No such SignalType 'sha0'"),
        ({"signal": "x", "signal_type": "PDQ"}, "No such SignalType 'PDQ'"),
        ({"signal": "x", "signal_type": "\0"}, "No such SignalType '\0'"),
        ({"signal": "x", "signal_type": "pdq"}, "invalid signal: invalid PDQ hash"),
        ({"signal": "z" * 64, "signal_type": "pdq"}, "invalid signal: invalid PDQ hash"),
        ({"signal": "A" * 64, "signal_type": "pdq"}, "invalid signal: invalid PDQ hash"),
        ({"signal": "0" * 64 + "\n", "signal_type": "pdq"}, "invalid signal: invalid PDQ hash"),
        ({"signal": "٣" * 64, "signal_type": "pdq"}, "invalid signal: invalid PDQ hash"),
        ({"signal": "x", "signal_type": "video_md5"}, "invalid signal: "),
    ],
)
def test_signals_are_checked(api: Served, path: str, query: dict[str, str], said: str) -> None:
    """A type that is none, and a signal that is none of its type."""
    assert message(api.get(path, **query), 400).startswith(said)


def test_signal_type_has_to_be_enabled(serve: Serve) -> None:
    """A type that exists but is off has a message of its own."""
    with serve(signal_types="pdq") as only_pdq:
        answer = only_pdq.get("/m/lookup", signal="0" * 32, signal_type="video_md5")
        assert message(answer, 400) == "SignalType 'video_md5' is not enabled"


def test_featureless_pictures_are_not_looked_up(api: Served, pages: str) -> None:
    """An empty hash is no signal: 400, rather than "no match"."""
    said = "invalid signal: invalid PDQ hash"
    posted = api.post("/m/lookup", files={"photo": ("blank.png", blank())})
    assert message(posted, 400) == said
    assert message(api.get("/m/lookup", url=f"{pages}/blank.png"), 400) == said


def test_hashing_may_be_off(matcher: Served, pages: str) -> None:
    """A matcher that does not hash says so, and still looks signals up."""
    said = "Hashing is disabled, missing role"
    assert message(matcher.post("/m/lookup", files={"photo": PHOTO}), 403) == said
    assert message(matcher.get("/m/lookup", url=f"{pages}/photo.png"), 403) == said
    matcher.post("/publish")
    assert matcher.get("/m/lookup", signal="0" * 64, signal_type="pdq").json() == {}


def test_uploads_are_checked_like_those_of_hash(api: Served) -> None:
    """No file, two files, a wrong field name, a wrong type."""
    assert message(api.post("/m/lookup"), 400) == "Missing multipart/form-data file upload"
    two = [("photo", PHOTO), ("photo", PHOTO)]
    assert message(api.post("/m/lookup", files=two), 400) == "Only one file allowed per request"
    wrong = api.post("/m/lookup", files={"file": PHOTO})
    assert message(wrong, 400) == "no such content_type: 'file'"
    typed = api.post("/m/lookup", params={"types": "sha0"}, files={"photo": PHOTO})
    assert message(typed, 400) == "signal type 'sha0' doesn't exist or is disabled"


@pytest.mark.parametrize("floor", ["999999", "pdq=999999", "video_md5=1, pdq=999999"])
def test_snapshot_that_is_not_there_yet(api: Served, floor: str) -> None:
    """Read-your-writes fails closed: 503, to be tried again."""
    answer = api.get("/m/lookup", signal="0" * 64, signal_type="pdq", min_snapshot=floor)
    message(answer, 503)
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("floor", ["x", "pdq", "pdq=", "-1", "1.5", "²", "9" * 5000, "pdq=x,1"])
def test_snapshot_has_to_be_a_number(api: Served, floor: str) -> None:
    """Anything but a number or the header of an answer is 400."""
    for path in "/m/lookup", "/m/raw_lookup":
        answer = api.get(path, signal="0" * 64, signal_type="pdq", min_snapshot=floor)
        assert "min_snapshot" in message(answer, 400)


def test_index_status(api: Served, signal: str, newest: str) -> None:
    """For each enabled type, or the one asked for, once a lookup has seen what was banked."""
    api.get("/m/lookup", signal=signal, signal_type="pdq", min_snapshot=newest)
    answer = api.get("/m/index/status")
    assert_canonical(answer)
    assert set(answer.json()) == {"pdq", "video_md5"}
    pdq = answer.json()["pdq"]
    assert set(pdq) == {"built_to", "present", "size"}
    assert pdq["present"]
    assert pdq["built_to"] > 1_700_000_000
    assert pdq["size"] >= 1
    assert list(api.get("/m/index/status", signal_type="pdq").json()) == ["pdq"]
    unknown = api.get("/m/index/status", signal_type="sha0")
    assert message(unknown, 400) == "No such signal type 'sha0'"


def test_signals_are_compared(api: Served, signal: str) -> None:
    """Whether they match and how far apart they are, for types with and without a distance."""
    answer = api.post("/m/compare", json={"pdq": [signal, near(signal, 9)]})
    assert (answer.status_code, answer.text) == (200, '{"pdq":[true,{"distance":9}]}\n')
    far = api.post("/m/compare", json={"pdq": [signal, near(signal, 32)]})
    assert far.json() == {"pdq": [False, {"distance": 32}]}
    md5 = signal[:32]
    for second, same in (md5, True), (near(md5, 1), False):
        compared = api.post("/m/compare", json={"video_md5": [md5, second]}).json()
        assert compared["video_md5"][0] is same
    assert api.post("/m/compare", json={}).json() == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "Request input was not a dict"),
        (5, "Request input was not a dict"),
        ({"pdq": "x"}, "Comparison hashes for pdq was not a list"),
        ({"pdq": {"a": 1}}, "Comparison hashes for pdq was not a list"),
        ({"pdq": ["0" * 64]}, "Comparison hash list length must be exactly 2"),
        ({"pdq": ["0" * 64] * 3}, "Comparison hash list length must be exactly 2"),
        ({"pdq": ["0" * 64, "x"]}, "Invalid pdq hash: invalid PDQ hash"),
        ({"pdq": ["0" * 64, 5]}, "Invalid pdq hash: "),
        ({"pdq": [None, None]}, "Invalid pdq hash: "),
        ({"sha0": ["a", "b"]}, "No such SignalType 'sha0'"),
        ({"\ud800": ["a", "b"]}, "No such SignalType '\ud800'"),
    ],
)
def test_comparisons_are_checked(api: Served, body: object, said: str) -> None:
    """Each mistake has its message."""
    assert message(api.post("/m/compare", json=body), 400).startswith(said)


def test_compare_reads_json(api: Served) -> None:
    """Another content type is 415, broken JSON 400."""
    assert message(api.post("/m/compare", data="{}"), 415) == (
        "Did not attempt to load JSON data because the request Content-Type was not "
        "'application/json'."
    )
    headers = {"Content-Type": "application/json"}
    for body in b"", b"{", b"\xff", b'{"pdq":NaN}', b"1" * 5000, b'{"a":' * 50_000:
        message(api.post("/m/compare", data=body, headers=headers), 400)
