"""Pages of content, counts and labels, on both databases."""

import random

import pytest
from sqlalchemy import event

from core.catalog import UNSET, Catalog, Content
from core.errors import BadInput, NotFound
from core.index.entry import IndexedBank


def banked(catalog: Catalog, bank: str, name: str = "pdq", **more: object) -> Content:
    return catalog.add_content(bank, {name: f"signal of {name}"}, **more)  # type: ignore[arg-type]


def test_pages_equal_the_content_one_by_one(catalog: Catalog) -> None:
    """Whatever the bank, the label, the type and the page, as choosing by hand gives it."""
    rng = random.Random(4)
    made = []
    for bank in "A", "B":
        catalog.create_bank(bank)
    for _ in range(40):
        labels = rng.sample(["x", "y", "Z", "é"], rng.randrange(4))
        bank, name = rng.choice("AB"), rng.choice(["pdq", "video_md5"])
        made.append(banked(catalog, bank, name, labels=labels, note=rng.choice([None, "n"])))
    for gone in rng.sample(made, 8):
        catalog.delete_content(gone.bank.name, gone.id)
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
                        page = catalog.contents(
                            bank_name,
                            after=after,
                            limit=7,
                            label=label,
                            signal_type=type_name,
                            ids=ids,
                        )
                        found += page.contents
                        after = page.following
                    assert found == expected


def test_a_page_costs_a_few_statements_whatever_its_length(catalog: Catalog) -> None:
    """No query a content."""
    catalog.create_bank("A")
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
        assert len(catalog.contents("A", limit=limit).contents) == limit
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4


def test_a_bank_is_one_cheap_read(catalog: Catalog) -> None:
    """Clients ask for a bank before each thing they submit: one statement, by a unique index."""
    catalog.create_bank("A", allow_list=True, thresholds={"pdq": 1})
    catalog.bank("A")
    seen: list[str] = []

    @event.listens_for(catalog._database.engine, "after_cursor_execute")
    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    catalog.bank("A")
    (asked,) = (one for one in seen if not one.startswith("BEGIN"))
    assert asked.startswith("SELECT")
    assert "WHERE bank.name = " in asked


def test_counts(catalog: Catalog) -> None:
    """A content with two types counts once, and once for each type."""
    catalog.create_bank("A")
    catalog.create_bank("B")
    banked(catalog, "B")
    first = catalog.add_content("A", {"pdq": "p", "video_md5": "m"})
    banked(catalog, "A")
    catalog.update_content("A", first.id, disable_until_ts=0)
    counts = catalog.counts("A")
    assert (counts.contents, counts.not_enabled) == (2, 1)
    assert counts.by_type == {"pdq": 2, "video_md5": 1}
    catalog.delete_bank("A")
    with pytest.raises(NotFound):
        catalog.counts("A")


def test_labels_go_the_whole_way(catalog: Catalog) -> None:
    """Kept once each and in order, replaced or left as they are, seen by the index, and marked."""
    catalog.create_bank("A")
    content = banked(catalog, "A", labels=["b", " a ", "b"])
    assert content.labels == ("a", "b")
    assert catalog.content("A", content.id) == content
    assert [entry.labels for entry in catalog.all_entries("pdq")] == [("a", "b")]
    assert catalog.update_content("A", content.id, note="n", labels=UNSET).labels == ("a", "b")
    catalog.clear("pdq", catalog.marks("pdq", 10))
    assert catalog.update_content("A", content.id, labels=["c"]).labels == ("c",)
    assert [mark.content_id for mark in catalog.marks("pdq", 10)] == [content.id]
    assert [entry.labels for entry in catalog.entries("pdq", [content.id])] == [("c",)]
    with pytest.raises(BadInput):
        catalog.update_content("A", content.id, labels=["d", ""])
    assert catalog.content("A", content.id).labels == ("c",)
    assert catalog.delete_content("A", content.id) == 1


def test_labels_go_with_their_bank(catalog: Catalog) -> None:
    """Deleting a bank is not stopped by them, and leaves none behind."""
    catalog.create_bank("A")
    content = banked(catalog, "A", labels=["x"])
    catalog.delete_bank("A")
    catalog.create_bank("A")
    assert catalog.contents(label="x").contents == ()
    assert banked(catalog, "A").id > content.id


def test_how_a_bank_matches_is_told_to_the_index(catalog: Catalog) -> None:
    """A change of it is marked like that of a name."""
    made = catalog.create_bank("A", allow_list=True, thresholds={"pdq": 3})
    banked(catalog, "A")
    catalog.clear("pdq", catalog.marks("pdq", 10))
    assert catalog.banks() == [IndexedBank(made.id, "A", 1.0, True, {"pdq": 3})]
    changed = catalog.update_bank("A", allow_list=False, thresholds={})
    assert catalog.bank("A") == changed
    assert catalog.banks() == [IndexedBank(made.id, "A", 1.0)]
    assert [mark.content_id for mark in catalog.marks("pdq", 10)] == [0]
    assert catalog.update_bank("A", enabled_ratio=0.5).thresholds == {}
