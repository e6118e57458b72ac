"""Marks: which change leaves which, and that clearing never takes along a later one."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import event

from core.catalog import Catalog
from core.index.entry import BANKS, Mark
from core.index.source import CatalogSource
from tests.core.catalog.follower import TYPES, Follower, picture

BOTH = {"pdq": "f0" * 32, "video_md5": "0a" * 16}
PDQ = {"pdq": "f1" * 32}


def marked(catalog: Catalog) -> dict[str, list[int]]:
    """The content ids marked, by signal type."""
    return {name: [mark.content_id for mark in catalog.marks.pending(name, 1000)] for name in TYPES}


def published(catalog: Catalog) -> Catalog:
    """The catalog with no mark left."""
    for name in TYPES:
        catalog.marks.clear(name, catalog.marks.pending(name, 1000))
    return catalog


def test_a_catalog_is_what_a_publisher_reads_from(catalog: Catalog) -> None:
    """mypy proves the rest of this one."""
    source: CatalogSource = catalog.source
    assert source.marks("pdq", 1) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda catalog, content_id: catalog.contents.update("A", content_id, disable_until_ts=0),
        lambda catalog, content_id: catalog.contents.update("A", content_id, note="n"),
        lambda catalog, content_id: catalog.contents.delete("A", content_id),
    ],
)
def test_a_change_of_content_marks_each_type_that_it_has_or_had(
    catalog: Catalog, change: Callable[[Catalog, int], object]
) -> None:
    """Being changed and being deleted alike, and no other content."""
    catalog.banks.create("A")
    both, pdq = catalog.contents.add("A", BOTH).id, catalog.contents.add("A", PDQ).id
    assert marked(catalog) == {"pdq": [both, pdq], "video_md5": [both]}
    change(published(catalog), both)
    assert marked(catalog) == {"pdq": [both], "video_md5": [both]}
    change(published(catalog), pdq)
    assert marked(catalog) == {"pdq": [pdq], "video_md5": []}


def test_a_change_of_a_bank_marks_the_types_in_it(catalog: Catalog) -> None:
    """And not its content, however much that is."""
    for name in ("A", "B", "EMPTY"):
        catalog.banks.create(name)
    for _ in range(3):
        catalog.contents.add("A", PDQ)
    catalog.contents.add("B", BOTH)
    published(catalog).banks.update("A", "C", None)
    assert marked(catalog) == {"pdq": [BANKS], "video_md5": []}
    published(catalog).banks.update("B", None, 0.5)
    assert marked(catalog) == {"pdq": [BANKS], "video_md5": [BANKS]}
    published(catalog).banks.update("EMPTY", "STILL_EMPTY", 0.5)
    assert marked(catalog) == {"pdq": [], "video_md5": []}


def test_a_deleted_bank_marks_all_that_was_in_it(catalog: Catalog) -> None:
    """In each of its types, and nothing of another bank."""
    catalog.banks.create("A")
    catalog.banks.create("B")
    both, pdq = catalog.contents.add("A", BOTH).id, catalog.contents.add("A", PDQ).id
    catalog.contents.add("B", BOTH)
    published(catalog).banks.delete("A")
    assert marked(catalog) == {"pdq": [both, pdq], "video_md5": [both]}


def test_a_refused_change_leaves_no_mark(catalog: Catalog) -> None:
    """Neither does deleting what is not there: the publisher has nothing to do."""
    catalog.banks.create("A")
    catalog.banks.create("B")
    content_id = catalog.contents.add("A", BOTH).id
    published(catalog)
    refused: list[Callable[[], object]] = [
        lambda: catalog.contents.add("A", BOTH, note="n" * 256),
        lambda: catalog.contents.update("A", content_id, disable_until_ts=-1),
        lambda: catalog.banks.update("A", "B", None),
        lambda: catalog.banks.update("A", "C", 2.0),
    ]
    for call in refused:
        with pytest.raises(Exception, match=r"must be|already exists"):
            call()
    catalog.contents.delete("A", content_id + 1)
    catalog.banks.delete("NONE")
    assert marked(catalog) == {"pdq": [], "video_md5": []}


def test_every_change_has_a_version_of_its_own(catalog: Catalog) -> None:
    """Even one that changes nothing, so that a publisher never takes one for another."""
    catalog.banks.create("A")
    content_id = catalog.contents.add("A", PDQ).id
    versions = set()
    for _ in range(5):
        versions.add(catalog.marks.pending("pdq", 1)[0].version)
        catalog.contents.update("A", content_id, note="same")
    assert len(versions) == 5


def test_clearing_leaves_what_has_changed_since(catalog: Catalog) -> None:
    """And doing it twice is harmless."""
    catalog.banks.create("A")
    first, second = catalog.contents.add("A", BOTH).id, catalog.contents.add("A", BOTH).id
    seen = catalog.marks.pending("pdq", 10)
    catalog.contents.update("A", first, note="later")
    catalog.marks.clear("pdq", seen)
    catalog.marks.clear("pdq", seen)
    assert marked(catalog) == {"pdq": [first], "video_md5": [first, second]}


def test_marks_come_by_content_id_up_to_the_limit(catalog: Catalog) -> None:
    """Not by age; the mark of the banks comes before them all."""
    catalog.banks.create("A")
    ids = [catalog.contents.add("A", PDQ).id for _ in range(5)]
    catalog.contents.update("A", ids[0], note="newest")
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 3)] == ids[:3]
    catalog.marks.clear("pdq", catalog.marks.pending("pdq", 3))
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 3)] == ids[3:]
    catalog.banks.update("A", None, 0.5)
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 1)] == [BANKS]


def test_any_number_of_marks_is_cleared(catalog: Catalog) -> None:
    """More than a statement may have parameters, in any order, among them some long gone."""
    catalog.banks.create("A")
    ids = [catalog.contents.add("A", PDQ).id for _ in range(5)]
    marks = [*catalog.marks.pending("pdq", 10), *(Mark(n, "gone") for n in range(40_000))]
    random.Random(1).shuffle(marks)
    assert marked(catalog)["pdq"] == ids
    catalog.marks.clear("pdq", marks)
    assert marked(catalog)["pdq"] == []


def test_deleting_a_bank_costs_the_same_statements_whatever_its_size(catalog: Catalog) -> None:
    """None but the looks at the bank and at what feeds it bring rows here: memory is bounded."""
    seen: list[tuple[str, bool]] = []

    @event.listens_for(catalog._database.engine, "after_cursor_execute")
    def record(_connection: object, cursor: object, statement: str, *_rest: object) -> None:
        seen.append((statement, getattr(cursor, "description", None) is not None))

    costs = []
    for size in (1, 500):
        catalog.banks.create("A")
        for _ in range(size):
            catalog.contents.add("A", BOTH)
        seen.clear()
        catalog.banks.delete("A")
        costs.append(list(seen))
    assert costs[0] == costs[1]
    assert sum(brings_rows for _, brings_rows in costs[1]) == 2
    assert list(catalog.entries.every("pdq")) == []


def change_something(catalog: Catalog, rng: random.Random) -> None:
    """One change of a kind, a place and values drawn from `rng`."""
    banks = [bank.name for bank in catalog.banks.every()]
    free = [name for name in ("A", "B", "C", "D") if name not in banks]
    content = [
        (bank.name, entry.content_id)
        for bank in catalog.banks.every()
        for name in TYPES
        for entry in catalog.entries.every(name)
        if entry.bank_id == bank.id
    ]
    kinds: list[Callable[[], object]] = []
    if free:
        kinds += [lambda: catalog.banks.create(rng.choice(free), rng.random())]
    if banks:
        signals = rng.choice([BOTH, PDQ, {"video_md5": "0b" * 16}])
        kinds += 4 * [lambda: catalog.contents.add(rng.choice(banks), signals)]
        kinds += [lambda: catalog.banks.update(rng.choice(banks), None, rng.random())]
        kinds += [lambda: catalog.banks.delete(rng.choice(banks))] if rng.random() < 0.3 else []
    if banks and free:
        kinds += [lambda: catalog.banks.update(rng.choice(banks), rng.choice(free), None)]
    if content:
        bank, content_id = rng.choice(content)
        kinds += [
            lambda: catalog.contents.update(bank, content_id, disable_until_ts=rng.randrange(2)),
            lambda: catalog.contents.update(bank, content_id, note=str(rng.random())),
            lambda: catalog.contents.delete(bank, content_id),
        ]
    rng.choice(kinds)()


@pytest.mark.parametrize("seed", range(4))
def test_who_follows_the_marks_ends_equal_to_the_catalog(catalog: Catalog, seed: int) -> None:
    """After any changes, published at any moments, between the two steps of publishing too."""
    rng = random.Random(seed)
    follower = Follower(catalog)
    for _ in range(40):
        for _ in range(rng.randrange(3)):
            change_something(catalog, rng)
        taken = follower.take(limit=rng.choice([1, 3, 1000]))
        if rng.random() < 0.5:
            change_something(catalog, rng)
        if rng.random() < 0.8:  # else it died between the two
            follower.clear(taken)
        if rng.random() < 0.5:
            while follower.publish():
                pass
            assert follower.picture() == picture(catalog)
