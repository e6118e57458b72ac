"""The state of content as an index reads it: by id, or all of it as a stream."""

import pytest
from sqlalchemy import event

from core.catalog import Catalog
from core.catalog.entries import READ_AT_ONCE
from core.catalog.models import ContentRow, SignalRow
from core.index.entry import BANKS, Entry

MANY = 2 * READ_AT_ONCE + 1


@pytest.fixture
def many(catalog: Catalog) -> list[int]:
    """The ids of `MANY` contents, each with its id as its pdq signal."""
    bank = catalog.banks.create("MANY")
    with catalog._database.writing() as session:
        rows = [ContentRow(bank_id=bank.id, disable_until_ts=1) for _ in range(MANY)]
        session.add_all(rows)
        session.flush()
        ids = sorted(row.id for row in rows if row.id)
        session.add_all(
            SignalRow(content_id=n, signal_type="pdq", ordinal=0, value=f"{n:064x}") for n in ids
        )
    return ids


def test_an_entry_tells_all_that_an_index_needs(catalog: Catalog) -> None:
    """Of each type that the content has its signals, time, metadata and note."""
    bank = catalog.banks.create("A")
    metadata = {"json": {"a": 1}}
    content = catalog.contents.add("A", {"pdq": "f0", "video_md5": "0a"}, metadata, "n")
    catalog.contents.update("A", content.id, disable_until_ts=77)
    assert list(catalog.entries.read("pdq", [content.id])) == [
        Entry(content.id, bank.id, ("f0",), 77, metadata, "n")
    ]
    assert list(catalog.entries.read("video_md5", [content.id])) == [
        Entry(content.id, bank.id, ("0a",), 77, metadata, "n")
    ]
    assert list(catalog.entries.read("other", [content.id])) == []


def test_content_with_several_signals_of_a_type_is_one_entry(catalog: Catalog) -> None:
    """Signals come in their order, and the content is marked once, not once for each."""
    bank = catalog.banks.create("A")
    first, second = (catalog.contents.add("A", {"pdq": "f0", "video_md5": "0a"}).id for _ in "12")
    with catalog._database.writing() as session:
        for ordinal in (2, 1):
            session.add(
                SignalRow(content_id=first, signal_type="pdq", ordinal=ordinal, value=f"f{ordinal}")
            )
    expected = [Entry(first, bank.id, ("f0", "f1", "f2")), Entry(second, bank.id, ("f0",))]
    assert list(catalog.entries.read("pdq", [first, second])) == expected
    assert list(catalog.entries.every("pdq")) == expected
    assert catalog.contents.get("A", first).signals == {"pdq": "f0", "video_md5": "0a"}
    catalog.contents.update("A", first, note="marks it once")
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 10)] == [first, second]
    catalog.banks.delete("A")
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 10)] == [first, second]


def test_ids_that_are_not_there_are_left_out(catalog: Catalog) -> None:
    """Among them the id that stands for the banks."""
    catalog.banks.create("A")
    kept, gone = (catalog.contents.add("A", {"pdq": "f0"}).id for _ in "12")
    catalog.contents.delete("A", gone)
    found = list(catalog.entries.read("pdq", [BANKS, gone, kept, kept + 1000]))
    assert [entry.content_id for entry in found] == [kept]
    assert list(catalog.entries.read("pdq", [])) == []


def test_entries_are_found_however_many_are_asked_for(catalog: Catalog, many: list[int]) -> None:
    """More than a statement may have parameters."""
    asked = [*many, *range(1_000_000, 1_070_000)]
    assert [entry.content_id for entry in catalog.entries.read("pdq", asked)] == many


def test_the_stream_has_everything_once_and_in_order(catalog: Catalog, many: list[int]) -> None:
    """Over many pages too, none is left out and none comes twice."""
    entries = list(catalog.entries.every("pdq"))
    assert [entry.content_id for entry in entries] == many
    assert [entry.signals for entry in entries] == [(f"{n:064x}",) for n in many]


def test_the_stream_reads_no_further_than_it_is_followed(catalog: Catalog, many: list[int]) -> None:
    """So its memory is bounded, and no transaction stays open behind it."""
    statements = []
    event.listen(
        catalog._database.engine,
        "after_cursor_execute",
        lambda _connection, _cursor, statement, *_: statements.append(statement),
    )
    stream = catalog.entries.every("pdq")
    for _ in range(READ_AT_ONCE):
        next(stream)
    assert sum("JOIN" in statement for statement in statements) == 1
    catalog.contents.delete("MANY", many[-1])
    catalog.contents.delete("MANY", many[READ_AT_ONCE])
    added = catalog.contents.add("MANY", {"pdq": "f0"}).id
    assert [entry.content_id for entry in stream] == [*many[READ_AT_ONCE + 1 : -1], added]


def test_a_range_of_content_is_read_alone(catalog: Catalog, many: list[int]) -> None:
    """Its ends belong to it or not as a range's do; the next content is found from anywhere."""
    within = range(many[3], many[-5])
    there = [entry.content_id for entry in catalog.entries.every("pdq", within)]
    assert there == [n for n in many if n in within]
    assert list(catalog.entries.every("pdq", range(many[-1] + 1, many[-1] + 100))) == []
    assert catalog.entries.following("pdq", 0) == many[0]
    assert catalog.entries.following("pdq", many[7]) == many[7]
    assert catalog.entries.following("pdq", many[-1] + 1) is None
    assert catalog.entries.following("other", 0) is None


def test_marks_of_a_range_are_read_alone(catalog: Catalog) -> None:
    """The mark of the banks is that of content 0, and belongs to the first range."""
    catalog.banks.create("A")
    ids = [catalog.contents.add("A", {"pdq": f"{n:064x}"}).id for n in range(6)]
    catalog.banks.update("A", enabled_ratio=0.5)
    assert [m.content_id for m in catalog.marks.pending("pdq", 10, range(ids[2]))] == [
        BANKS,
        *ids[:2],
    ]
    assert [m.content_id for m in catalog.marks.pending("pdq", 2, range(ids[2], ids[5]))] == ids[
        2:4
    ]
    assert catalog.marks.pending("pdq", 10, range(ids[-1] + 1, ids[-1] + 9)) == []
