"""Content: what is kept of it, what is changed, and what is refused."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from core.catalog import Bank, Catalog, Content
from core.errors import BadInput, NotFound

SIGNALS = {"pdq": "f0" * 32, "video_md5": "0a" * 16}


@pytest.fixture
def bank(catalog: Catalog) -> Bank:
    return catalog.banks.create("A")


def test_content_is_found_as_it_was_added(catalog: Catalog, bank: Bank) -> None:
    """With its metadata to the last nested value, its note and its address."""
    metadata = {"content_id": "x", "content_uri": "y", "json": {"ü": [1, 2.5, None, {"a": "😀"}]}}
    added = catalog.contents.add("A", SIGNALS, metadata, "n", "https://example.com/1.jpg")
    assert added == Content(added.id, bank, SIGNALS, 1, "https://example.com/1.jpg", metadata, "n")
    assert catalog.contents.get("A", added.id) == added


def test_content_needs_no_more_than_a_signal(catalog: Catalog, bank: Bank) -> None:
    """Empty metadata and an empty note are none."""
    added = catalog.contents.add("A", {"pdq": "f0"}, {}, "")
    assert added == Content(added.id, bank, {"pdq": "f0"}, 1, None, None, None)
    assert catalog.contents.get("A", added.id) == added


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"signals": {}}, "^No signals given$"),
        ({"signals": {"pdq": "f0\0"}}, "^Invalid pdq signal: "),
        ({"signals": {"pdq": "\ud800"}}, "^Invalid pdq signal: "),
        ({"note": 7}, "^note should be a string$"),
        ({"note": "n" * 256}, "^note must be at most 255 characters$"),
        ({"note": "n\0"}, "^note must be "),
        ({"note": "\ud800"}, "^note must be "),
        ({"uri": "https://example.com/\0"}, "^original_media_uri must be "),
        ({"metadata": ["x"]}, "^metadata should be a json object$"),
        ({"metadata": {"other": 1}}, "^Invalid metadata: "),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    catalog: Catalog, bank: Bank, given: dict[str, Any], why: str
) -> None:
    """Neither a row nor a mark for the publisher, and the reason is told."""
    with pytest.raises(BadInput, match=why):
        catalog.contents.add("A", **{"signals": SIGNALS, **given})
    assert list(catalog.entries.every("pdq")) == []
    assert catalog.marks.pending("pdq", 10) == []


def test_a_note_of_255_characters_is_kept_whatever_they_are(catalog: Catalog, bank: Bank) -> None:
    """Characters are counted, not bytes: these take four each."""
    note = "😀" * 255
    added = catalog.contents.add("A", SIGNALS, note=note)
    assert catalog.contents.get("A", added.id).note == note


@pytest.mark.parametrize("content_id", [-1, 0, 2**31, 2**63 - 1, 2**63, 2**64, 10**400])
def test_content_that_is_not_there_is_not_found(
    catalog: Catalog, bank: Bank, content_id: int
) -> None:
    """Also under numbers that the database does not have."""
    calls: list[Callable[[], object]] = [
        lambda: catalog.contents.get("A", content_id),
        lambda: catalog.contents.update("A", content_id, note=7),
    ]
    for call in calls:
        with pytest.raises(NotFound) as raised:
            call()
        assert raised.value.message == f"content '{content_id}' not found"
    assert catalog.contents.delete("A", content_id) == 0


def test_content_is_reached_through_its_own_bank_only(catalog: Catalog, bank: Bank) -> None:
    """Through another it is not found, not changed and not deleted."""
    catalog.banks.create("B")
    added = catalog.contents.add("A", SIGNALS)
    with pytest.raises(NotFound, match=f"^content '{added.id}' not found$"):
        catalog.contents.get("B", added.id)
    with pytest.raises(NotFound, match=f"^content '{added.id}' not found$"):
        catalog.contents.update("B", added.id, disable_until_ts=0)
    assert catalog.contents.delete("B", added.id) == 0
    assert catalog.contents.get("A", added.id) == added


def test_an_update_changes_what_it_is_given(catalog: Catalog, bank: Bank) -> None:
    """Note and time change apart from each other, and the metadata never does."""
    added = catalog.contents.add("A", SIGNALS, {"content_id": "x"}, "first")

    def now(ts: int, note: str | None) -> Content:
        return Content(added.id, bank, SIGNALS, ts, None, {"content_id": "x"}, note)

    assert catalog.contents.update("A", added.id) == now(1, "first")
    assert catalog.contents.update("A", added.id, disable_until_ts=0) == now(0, "first")
    assert catalog.contents.update("A", added.id, note="second") == now(0, "second")
    assert catalog.contents.update("A", added.id, note="") == now(0, None)
    assert catalog.contents.update("A", added.id, note="third", disable_until_ts=1) == now(
        1, "third"
    )
    assert catalog.contents.update("A", added.id, note=None) == now(1, None)
    assert catalog.contents.get("A", added.id) == now(1, None)


@pytest.mark.parametrize("given", [0, 1, 1_900_000_000, "77"])
def test_a_time_is_kept(catalog: Catalog, bank: Bank, given: Any) -> None:
    """As a number, even when it was sent as text."""
    added = catalog.contents.add("A", SIGNALS)
    catalog.contents.update("A", added.id, disable_until_ts=given)
    assert catalog.contents.get("A", added.id).disable_until_ts == int(given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"disable_until_ts": -1}, "^disable_until_ts must be a non-negative integer$"),
        ({"disable_until_ts": "-1"}, "^disable_until_ts must be a non-negative integer$"),
        ({"disable_until_ts": 2**64}, "^disable_until_ts must be less than 5 years in the future$"),
        ({"disable_until_ts": "x"}, "^Invalid int: 'x'$"),
        ({"disable_until_ts": None}, "^Invalid int: None$"),
        ({"disable_until_ts": 1.5}, "^Invalid int: 1.5$"),
        ({"disable_until_ts": True}, "^Invalid int: True$"),
        ({"disable_until_ts": [1]}, r"^Invalid int: \[1\]$"),
        ({"note": 7}, "^note should be a string$"),
        ({"note": "n" * 256}, "^note must be at most 255 characters$"),
        ({"note": "n\0"}, "^note must be "),
    ],
)
def test_a_bad_update_changes_nothing(
    catalog: Catalog, bank: Bank, given: dict[str, Any], why: str
) -> None:
    """Not even the part of it that is right."""
    added = catalog.contents.add("A", SIGNALS, note="kept")
    with pytest.raises(BadInput, match=why):
        catalog.contents.update("A", added.id, **{"note": "new", "disable_until_ts": 0, **given})
    assert catalog.contents.get("A", added.id) == added


def test_content_is_disabled_for_five_years_at_most(catalog: Catalog, bank: Bank) -> None:
    """Five years and an hour from now is refused, an hour less is not."""
    added = catalog.contents.add("A", SIGNALS)
    five_years = 5 * 365 * 24 * 3600
    for early in (0, -3600):
        catalog.contents.update(
            "A", added.id, disable_until_ts=int(time.time()) + five_years + early
        )
    with pytest.raises(BadInput, match="less than 5 years"):
        catalog.contents.update(
            "A", added.id, disable_until_ts=int(time.time()) + five_years + 3600
        )


def test_deleted_content_is_gone_and_the_rest_is_not(catalog: Catalog, bank: Bank) -> None:
    """And deleting it again says that there was nothing to delete."""
    gone, kept = catalog.contents.add("A", SIGNALS), catalog.contents.add("A", SIGNALS)
    assert catalog.contents.delete("A", gone.id) == 1
    assert catalog.contents.delete("A", gone.id) == 0
    with pytest.raises(NotFound):
        catalog.contents.get("A", gone.id)
    assert [entry.content_id for entry in catalog.entries.every("pdq")] == [kept.id]
