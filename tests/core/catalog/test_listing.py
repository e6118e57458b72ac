"""Pages of content, counts and labels, on both databases."""

import random

import pytest
from sqlalchemy import event

from core.catalog import UNSET, Catalog, Content, ContentFilter
from core.errors import BadInput, NotFound
from core.index.entry import IndexedBank


def banked(catalog: Catalog, bank: str, name: str = "pdq", **more: object) -> Content:
    return catalog.contents.add(bank, {name: f"signal of {name}"}, **more)  # type: ignore[arg-type]


def test_pages_equal_the_content_one_by_one(catalog: Catalog) -> None:
    """Whatever the bank, the label, the type and the page, as choosing by hand gives it."""
    rng = random.Random(4)
    made = []
    for bank in "A", "B":
        catalog.banks.create(bank)
    for _ in range(40):
        labels = rng.sample(["x", "y", "Z", "é"], rng.randrange(4))
        bank, name = rng.choice("AB"), rng.choice(["pdq", "video_md5"])
        made.append(banked(catalog, bank, name, labels=labels, note=rng.choice([None, "n"])))
    for gone in rng.sample(made, 8):
        catalog.contents.delete(gone.bank.name, gone.id)
        made.remove(gone)
    for bank_name in "A", "B", None:
        for label in "x", "Z", "é", "never", None:
            for type_name in "pdq", "never", None:
                for ids in [made[3].id, made[9].id, 10**9], None:
                    expected = [
                        one
                        for one in made
                        if bank_name in (None, one.bank.name)
                        and (label is None or label in one.labels)
                        and (type_name is None or type_name in one.signals)
                        and (ids is None or one.id in ids)
                    ]
                    found: list[Content] = []
                    after: int | None = 0
                    while after is not None:
                        wanted = ContentFilter(bank_name, label, type_name, ids)
                        page = catalog.contents.page(wanted, after=after, limit=7)
                        found += page.contents
                        after = page.following
                    assert found == expected


def test_a_page_costs_a_few_statements_whatever_its_length(catalog: Catalog) -> None:
    """No query a content."""
    catalog.banks.create("A")
    for _ in range(30):
        banked(catalog, "A", labels=["x"])
    seen: list[str] = []
    engine = catalog._database.engine

    @event.listens_for(engine, "after_cursor_execute")
    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    costs = []
    for limit in 1, 30:
        seen.clear()
        assert len(catalog.contents.page(ContentFilter("A"), limit=limit).contents) == limit
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4


def test_a_bank_is_one_cheap_read(catalog: Catalog) -> None:
    """Clients ask for a bank before each thing they submit: one statement, by a unique index."""
    catalog.banks.create("A", allow_list=True, thresholds={"pdq": 1})
    catalog.banks.get("A")
    seen: list[str] = []

    @event.listens_for(catalog._database.engine, "after_cursor_execute")
    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    catalog.banks.get("A")
    (asked,) = (one for one in seen if not one.startswith("BEGIN"))
    assert asked.startswith("SELECT")
    assert "WHERE bank.name = " in asked


def test_counts(catalog: Catalog) -> None:
    """A content with two types counts once, and once for each type."""
    catalog.banks.create("A")
    catalog.banks.create("B")
    banked(catalog, "B")
    first = catalog.contents.add("A", {"pdq": "p", "video_md5": "m"})
    banked(catalog, "A")
    catalog.contents.update("A", first.id, disable_until_ts=0)
    counts = catalog.banks.count_contents("A")
    assert (counts.contents, counts.not_enabled) == (2, 1)
    assert counts.by_type == {"pdq": 2, "video_md5": 1}
    catalog.banks.delete("A")
    with pytest.raises(NotFound):
        catalog.banks.count_contents("A")


def test_labels_go_the_whole_way(catalog: Catalog) -> None:
    """Kept once each and in order, replaced or left as they are, seen by the index, and marked."""
    catalog.banks.create("A")
    content = banked(catalog, "A", labels=["b", " a ", "b"])
    assert content.labels == ("a", "b")
    assert catalog.contents.get("A", content.id) == content
    assert [entry.labels for entry in catalog.entries.every("pdq")] == [("a", "b")]
    assert catalog.contents.update("A", content.id, note="n", labels=UNSET).labels == ("a", "b")
    catalog.marks.clear("pdq", catalog.marks.pending("pdq", 10))
    assert catalog.contents.update("A", content.id, labels=["c"]).labels == ("c",)
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 10)] == [content.id]
    assert [entry.labels for entry in catalog.entries.read("pdq", [content.id])] == [("c",)]
    with pytest.raises(BadInput):
        catalog.contents.update("A", content.id, labels=["d", ""])
    assert catalog.contents.get("A", content.id).labels == ("c",)
    assert catalog.contents.delete("A", content.id) == 1


def test_labels_go_with_their_bank(catalog: Catalog) -> None:
    """Deleting a bank is not stopped by them, and leaves none behind."""
    catalog.banks.create("A")
    content = banked(catalog, "A", labels=["x"])
    catalog.banks.delete("A")
    catalog.banks.create("A")
    assert catalog.contents.page(ContentFilter(label="x")).contents == ()
    assert banked(catalog, "A").id > content.id


def test_how_a_bank_matches_is_told_to_the_index(catalog: Catalog) -> None:
    """A change of it is marked like that of a name."""
    made = catalog.banks.create("A", allow_list=True, thresholds={"pdq": 3})
    banked(catalog, "A")
    catalog.marks.clear("pdq", catalog.marks.pending("pdq", 10))
    assert catalog.banks.indexed() == [IndexedBank(made.id, "A", 1.0, True, {"pdq": 3})]
    changed = catalog.banks.update("A", allow_list=False, thresholds={})
    assert catalog.banks.get("A") == changed
    assert catalog.banks.indexed() == [IndexedBank(made.id, "A", 1.0)]
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 10)] == [0]
    assert catalog.banks.update("A", enabled_ratio=0.5).thresholds == {}
