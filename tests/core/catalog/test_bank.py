"""Banks: their names and ratios, and what is refused."""

import math
from collections.abc import Callable

import pytest
from sqlalchemy import event

from core.catalog import Bank, Catalog
from core.errors import BadInput, Forbidden, NotFound
from core.index.entry import IndexedBank


def test_a_bank_is_found_as_it_was_made(catalog: Catalog) -> None:
    """By its name, in the list, and among the banks that an index is told of."""
    made = catalog.banks.create("CATS_2", 0.25)
    assert made == Bank(made.id, "CATS_2", 0.25)
    assert catalog.banks.get("CATS_2") == made
    assert catalog.banks.every() == [made]
    assert catalog.banks.indexed() == [IndexedBank(made.id, "CATS_2", 0.25)]


def test_banks_are_listed_in_the_order_they_were_made(catalog: Catalog) -> None:
    """Not by name: a new one stands at the end."""
    for name in ("B", "C", "A"):
        catalog.banks.create(name)
    assert [bank.name for bank in catalog.banks.every()] == ["B", "C", "A"]


def test_a_whole_ratio_comes_back_as_a_float(catalog: Catalog) -> None:
    """The contract prints 1.0, not 1."""
    assert repr(catalog.banks.create("A", 1).enabled_ratio) == "1.0"
    assert repr(catalog.banks.update("A", None, 0).enabled_ratio) == "0.0"
    assert repr(catalog.banks.get("A").enabled_ratio) == "0.0"


@pytest.mark.parametrize(
    "name",
    ["", "lower", "1A", "A-B", "A B", "A\n", "\nA", "A\0", "Ä", "\ud800", "A٣", "A" * 256],
)
def test_a_name_against_the_rule_is_refused(catalog: Catalog, name: str) -> None:
    """Among them the trailing newline that `$` lets pass and digits of other scripts."""
    catalog.banks.create("KEPT")
    with pytest.raises(BadInput, match="Bank names must be"):
        catalog.banks.create(name)
    with pytest.raises(BadInput, match="Bank names must be"):
        catalog.banks.update("KEPT", name)
    assert [bank.name for bank in catalog.banks.every()] == ["KEPT"]


def test_a_name_of_255_characters_is_kept(catalog: Catalog) -> None:
    """The longest name that is allowed comes back whole."""
    assert catalog.banks.create("A" * 255) == catalog.banks.get("A" * 255)


@pytest.mark.parametrize("ratio", [-0.01, 1.01, math.nan, math.inf, -math.inf, 10**400])
def test_a_ratio_outside_0_to_1_is_refused(catalog: Catalog, ratio: float) -> None:
    """For a new bank and for one that is there, which keeps its own."""
    bank = catalog.banks.create("A", 0.5)
    with pytest.raises(BadInput, match="enabled_ratio must be between 0 and 1"):
        catalog.banks.create("B", ratio)
    with pytest.raises(BadInput, match="enabled_ratio must be between 0 and 1"):
        catalog.banks.update("A", None, ratio)
    assert catalog.banks.every() == [bank]


def test_a_name_is_taken_only_once(catalog: Catalog) -> None:
    """Neither a new bank nor a renamed one gets the name of another."""
    catalog.banks.create("A")
    catalog.banks.create("B")
    with pytest.raises(Forbidden, match=r"^Bank already exists$"):
        catalog.banks.create("A")
    with pytest.raises(Forbidden, match=r"^Bank name already exists$"):
        catalog.banks.update("B", "A")
    assert [bank.name for bank in catalog.banks.every()] == ["A", "B"]


def test_an_update_changes_what_it_is_given_and_keeps_the_id(catalog: Catalog) -> None:
    """Name and ratio change apart from each other, and its own name is no clash."""
    made = catalog.banks.create("A", 0.5)
    assert catalog.banks.update("A", None, None) == made
    assert catalog.banks.update("A", "B", None) == Bank(made.id, "B", 0.5)
    assert catalog.banks.update("B", None, 0.75) == Bank(made.id, "B", 0.75)
    assert catalog.banks.update("B", "B", 1.0) == Bank(made.id, "B", 1.0)
    assert catalog.banks.every() == [Bank(made.id, "B", 1.0)]


@pytest.mark.parametrize("name", ["GONE", "gone", "", "A\0", "A\n", "\ud800", "A" * 10_000])
def test_a_bank_that_is_not_there_is_not_found(catalog: Catalog, name: str) -> None:
    """Also by a name that the database could not even be asked for."""
    catalog.banks.create("A")
    calls: list[Callable[[], object]] = [
        lambda: catalog.banks.get(name),
        lambda: catalog.contents.add(name, {"pdq": "f0"}),
        lambda: catalog.contents.get(name, 1),
        lambda: catalog.contents.update(name, 1, note="x"),
        lambda: catalog.contents.delete(name, 1),
    ]
    for call in calls:
        with pytest.raises(NotFound) as raised:
            call()
        assert raised.value.message == f"bank '{name}' not found"
    with pytest.raises(NotFound, match=r"^Bank not found$"):
        catalog.banks.update(name, "also bad", 7.0)
    catalog.banks.delete(name)
    assert [bank.name for bank in catalog.banks.every()] == ["A"]


def test_a_deleted_bank_takes_its_content_along_and_no_other(catalog: Catalog) -> None:
    """What lies in another bank is still there, unchanged."""
    catalog.banks.create("A")
    catalog.banks.create("B")
    gone = catalog.contents.add("A", {"pdq": "f0"})
    kept = catalog.contents.add("B", {"pdq": "f1"})
    catalog.banks.delete("A")
    with pytest.raises(NotFound):
        catalog.banks.get("A")
    assert list(catalog.entries.read("pdq", [gone.id])) == []
    assert catalog.contents.get("B", kept.id) == kept


def test_ids_are_never_used_again(catalog: Catalog) -> None:
    """A client that kept an id must not meet another thing under it."""
    banks, contents = set(), set()
    for _ in range(3):
        banks.add(catalog.banks.create("A").id)
        contents.add(catalog.contents.add("A", {"pdq": "f0"}).id)
        newest = catalog.contents.add("A", {"pdq": "f0"}).id
        contents.add(newest)
        catalog.contents.delete("A", newest)
        catalog.banks.delete("A")
    assert (len(banks), len(contents)) == (3, 6)


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


def test_how_a_bank_matches_is_told_to_the_index(catalog: Catalog) -> None:
    """A change of it is marked like that of a name."""
    made = catalog.banks.create("A", allow_list=True, thresholds={"pdq": 3})
    catalog.contents.add("A", {"pdq": "f0"})
    catalog.marks.clear("pdq", catalog.marks.pending("pdq", 10))
    assert catalog.banks.indexed() == [IndexedBank(made.id, "A", 1.0, True, {"pdq": 3})]
    changed = catalog.banks.update("A", allow_list=False, thresholds={})
    assert catalog.banks.get("A") == changed
    assert catalog.banks.indexed() == [IndexedBank(made.id, "A", 1.0)]
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 10)] == [0]
    assert catalog.banks.update("A", enabled_ratio=0.5).thresholds == {}
