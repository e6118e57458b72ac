"""`/c/contents`, `/c/bank/<b>/contents`, `/c/bank/<b>/counts` and labels: finding content again."""

import random
from typing import Any

import pytest

from tests.contract.answers import assert_canonical, message
from tests.deployment import altered
from tests.pictures import photograph
from tests.served import Served

PHOTO = ("picture.png", photograph("coffee.png"), "image/png")


@pytest.fixture
def ids(api: Served, bank: str) -> list[int]:
    """Five contents of the bank, of which the first two have a video_md5 as well."""
    added = []
    for n in range(5):
        rng = random.Random(f"{bank}{n}")
        signals = {"pdq": rng.randbytes(32).hex()}
        if n < 2:
            signals["video_md5"] = rng.randbytes(16).hex()
        answer = api.post(f"/c/bank/{bank}/signal", json=signals)
        assert answer.status_code == 200, answer.text
        added.append(int(answer.json()["id"]))
    return added


def listed(api: Served, path: str, **query: Any) -> list[int]:
    """The ids of all contents that the path lists, page by page."""
    found: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = api.get(path, **query, after=after)
        assert answer.status_code == 200, answer.text
        assert_canonical(answer)
        page = answer.json()
        assert len(page["contents"]) <= query.get("limit", 100)
        found += [content["id"] for content in page["contents"]]
        after = page["next"]
    return found


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_bank_is_listed_page_by_page(api: Served, bank: str, ids: list[int], limit: int) -> None:
    """Every content once, by ascending id, whatever the length of a page."""
    assert listed(api, f"/c/bank/{bank}/contents", limit=limit) == ids
    everywhere = listed(api, "/c/contents", limit=max(limit, 50))
    assert [content_id for content_id in everywhere if content_id in ids] == ids
    assert everywhere == sorted(set(everywhere))


def test_listed_content_is_whole(api: Served, bank: str) -> None:
    """Signals, metadata, note, labels and bank, as content alone is shown."""
    fields = {"metadata": '{"content_id":"a"}', "note": "n", "labels": "b, a,b"}
    added = api.post(f"/c/bank/{bank}/content", files={"photo": PHOTO}, data=fields)
    (content,) = api.get(f"/c/bank/{bank}/contents").json()["contents"]
    path = f"/c/bank/{bank}/content/{added.json()['id']}"
    assert content == api.get(path, include_signals="true").json()
    assert content["labels"] == ["a", "b"]
    assert content["signals"] == added.json()["signals"]


def test_contents_are_chosen(api: Served, bank: str, ids: list[int]) -> None:
    """By signal type, by id, by label, and by all of them."""
    path = f"/c/bank/{bank}/contents"
    assert listed(api, path, signal_type="video_md5") == ids[:2]
    assert listed(api, path, signal_type="sha0") == []
    assert listed(api, path, content_id=ids[3]) == [ids[3]]
    assert listed(api, "/c/contents", content_id=ids[3]) == [ids[3]]
    for content_id in ids[1:3]:
        api.put(f"/c/bank/{bank}/content/{content_id}", json={"labels": [f"{bank}-x"]})
    assert listed(api, path, label=f"{bank}-x", limit=1) == ids[1:3]
    assert listed(api, "/c/contents", label=f"{bank}-x") == ids[1:3]
    assert listed(api, path, label=f"{bank}-x", signal_type="video_md5") == [ids[1]]
    assert listed(api, path, label="\0") == []
    assert listed(api, path, label="never") == []


def test_content_of_another_bank_is_not_listed(api: Served, bank: str, ids: list[int]) -> None:
    """Not by its id either."""
    api.post("/c/banks", json={"name": f"{bank}_B"})
    assert listed(api, f"/c/bank/{bank}_B/contents") == []
    assert listed(api, f"/c/bank/{bank}_B/contents", content_id=ids[0]) == []


def test_contents_near_a_signal(api: Served, bank: str, signal: str) -> None:
    """Nearest first, with distances, in one bank or all, disabled content as well."""
    rng = random.Random(signal)
    ids = {}
    for distance in 20, 0, 9:
        near = altered(rng, signal, distance)
        ids[distance] = api.post(f"/c/bank/{bank}/signal", json={"pdq": near}).json()["id"]
    changed = api.put(f"/c/bank/{bank}/content/{ids[0]}", json={"disable_until_ts": 0})
    query = {
        "signal": signal,
        "signal_type": "pdq",
        "min_snapshot": changed.headers["X-HMA-Snapshot"],
    }
    for path in f"/c/bank/{bank}/contents", "/c/contents":
        answer = api.get(path, **query)
        assert answer.headers["X-HMA-Snapshot"].startswith("pdq=")
        found = [(one["id"], one["distance"]) for one in answer.json()["contents"]]
        assert found == [(ids[0], "0"), (ids[9], "9"), (ids[20], "20")]
        assert len(api.get(path, **query, limit=2).json()["contents"]) == 2
        only = api.get(path, **query, content_id=ids[9]).json()["contents"]
        assert [one["id"] for one in only] == [ids[9]]
    api.post("/c/banks", json={"name": f"{bank}_B"})
    assert api.get(f"/c/bank/{bank}_B/contents", **query).json()["contents"] == []


def test_counts(api: Served, bank: str, ids: list[int]) -> None:
    """Of contents in all, of those disabled, and by signal type."""
    api.put(f"/c/bank/{bank}/content/{ids[0]}", json={"disable_until_ts": 0})
    answer = api.get(f"/c/bank/{bank}/counts")
    assert_canonical(answer)
    assert answer.json() == {"contents": 5, "disabled": 1, "signals": {"pdq": 5, "video_md5": 2}}
    api.delete(f"/c/bank/{bank}/content/{ids[0]}")
    assert api.get(f"/c/bank/{bank}/counts").json()["signals"] == {"pdq": 4, "video_md5": 1}


def test_labels_are_changed_and_ride_in_matches(api: Served, bank: str, signal: str) -> None:
    """PUT replaces them all; matches have them if asked; content without any shows none."""
    content_id = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}).json()["id"]
    path = f"/c/bank/{bank}/content/{content_id}"
    assert "labels" not in api.get(path).json()
    query = {"signal": signal, "signal_type": "pdq", "include_metadata": "true"}
    for labels, expected in (
        ([" b", "a", "b"], ["a", "b"]),
        (["c"], ["c"]),
        ([], None),
        (None, None),
    ):
        changed = api.put(path, json={"labels": labels})
        assert changed.json().get("labels") == expected
        assert api.get(path).json().get("labels") == expected
        seen = changed.headers["X-HMA-Snapshot"]
        (match,) = api.get("/m/lookup", **query, min_snapshot=seen).json()[bank]
        assert match.get("labels") == expected


def test_labels_of_a_url(api: Served, bank: str, pages: str) -> None:
    """Beside a URL they come in the JSON body."""
    query = {"url": f"{pages}/photo.png"}
    added = api.post(f"/c/bank/{bank}/content", params=query, json={"labels": ["x"]})
    assert api.get(f"/c/bank/{bank}/content/{added.json()['id']}").json()["labels"] == ["x"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("a", "labels should be a list of strings"),
        ([1], "labels should be a list of strings"),
        ([""], "a label is 1 to 255 characters"),
        (["a" * 256], "a label is 1 to 255 characters"),
        (["a,b"], "a label is 1 to 255 characters"),
        (["\0"], "a label is 1 to 255 characters"),
        ([str(n) for n in range(65)], "content has at most 64 labels"),
    ],
)
def test_labels_are_checked(api: Served, bank: str, ids: list[int], labels: Any, said: str) -> None:
    """And nothing is changed when they are refused."""
    path = f"/c/bank/{bank}/content/{ids[0]}"
    refused = api.put(path, json={"labels": labels, "note": "changed"})
    assert message(refused, 400).startswith(said)
    assert "note" not in api.get(path).json()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 1001}, 422),
        ({"after": -1}, 422),
        ({"after": 2**63}, 422),
        ({"content_id": "x"}, 422),
        ({"signal": "0" * 64}, 400),
        ({"signal": "x", "signal_type": "pdq"}, 400),
        ({"signal": "x", "signal_type": "sha0"}, 400),
    ],
)
def test_queries_are_checked(api: Served, bank: str, query: dict[str, Any], status: int) -> None:
    """For one bank as for all."""
    for path in "/c/contents", f"/c/bank/{bank}/contents":
        assert api.get(path, **query).status_code == status


@pytest.mark.parametrize("path", ["contents", "counts", "contents?signal=x&signal_type=pdq"])
def test_bank_that_is_not_there(api: Served, path: str) -> None:
    """404, as everywhere."""
    assert message(api.get(f"/c/bank/NO_SUCH/{path}"), 404) == "bank 'NO_SUCH' not found"
