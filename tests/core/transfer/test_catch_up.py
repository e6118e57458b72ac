"""A later run makes new, changed and gone rows of HMA's so here, and spares what was done here."""

from typing import Any

import pytest

from core.catalog import Catalog
from core.catalog.exchange.fetched_record import FetchedRecord
from core.services import Services
from core.transfer.hma_database import open_hma_database
from tests.core.transfer.conftest import contents_of, dump, move
from tests.hma import Hma, Row, rows
from tests.published import catalog_entries, published_entries


@pytest.fixture
def moved(hma: Hma, services: Services) -> Services:
    """Two contents that have been moved and published: 20 by hand, 30 from the exchange."""
    hma.put(
        Row(20, "TERROR", {"pdq": "ab" * 32}, note="first"),
        Row(30, "NCMEC_LIST", {"pdq": "cd" * 32}, record="key"),
    )
    outcome, _ = move(hma, services)
    assert outcome.complete
    services.publisher.publish_all()
    return services


def test_every_kind_of_change(hma: Hma, moved: Services) -> None:
    """After it both sides are the same again, also in what is published."""
    changed = Row(
        20, "TERROR", {"video_md5": "0" * 32}, 0, "https://e.com", {"json": {"a": 1}}, "second"
    )
    new = Row(40, "SOMETIMES", {"pdq": "ef" * 32})
    hma.run("DELETE FROM content_signal WHERE content_id = 30")
    hma.run("DELETE FROM bank_content WHERE id = 30")
    hma.put(changed, new)
    outcome, problems = move(hma, moved)
    assert (outcome.complete, problems) == (True, [])
    assert (outcome.written["contents"], outcome.written["gone"]) == (2, 1)
    assert contents_of(moved) == {20: changed, 40: new}
    moved.publisher.publish_all()
    for signal_type in ("pdq", "video_md5"):
        published = published_entries(moved, signal_type=signal_type)
        assert published == catalog_entries(moved, signal_type)
    assert published_entries(moved).keys() == {40}


def test_many_changes_at_once(hma: Hma, services: Services) -> None:
    """Of thousands of contents a third is changed, a third gone, and as many are new."""
    before = list(rows(3000))
    hma.put(*before)
    move(hma, services)
    gone = [row.id for row in before[::3]]
    hma.run("DELETE FROM content_signal WHERE content_id = ANY(%s)", gone)
    hma.run("DELETE FROM bank_content WHERE id = ANY(%s)", gone)
    changed = [Row(row.id, row.bank, {"pdq": f"{row.id:064x}"}, note="changed",
                   record=row.record) for row in before[1::3]]  # fmt: skip
    new = list(rows(1000, seed=1, first=50_000))
    hma.put(*changed, *new)
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    assert (outcome.written["contents"], outcome.written["gone"]) == (2000, 1000)
    expected = {row.id: row for row in (*before[2::3], *changed, *new)}
    assert contents_of(services) == expected


def test_banks_are_renamed_changed_and_deleted(hma: Hma, moved: Services) -> None:
    """Also two that swap their names; answers name the new ones after publishing."""
    hma.run("DELETE FROM bank WHERE name = 'EMPTY'")
    hma.run("UPDATE bank SET name = 'X' WHERE name = 'TERROR'")
    hma.run("UPDATE bank SET name = 'TERROR', enabled_ratio = 0.5 WHERE name = 'SOMETIMES'")
    hma.run("UPDATE bank SET name = 'SOMETIMES' WHERE name = 'X'")
    outcome, problems = move(hma, moved)
    assert (outcome.complete, problems) == (True, [])
    assert contents_of(moved)[20].bank == "SOMETIMES"
    ratios = {bank.name: bank.enabled_ratio for bank in moved.catalog.banks.every()}
    assert ratios == {"SOMETIMES": 1.0, "TERROR": 0.5, "NCMEC_LIST": 1.0}
    moved.publisher.publish("pdq")
    assert published_entries(moved)[20].bank_id == moved.catalog.banks.get("SOMETIMES").id


def test_an_exchange_is_changed_and_deleted(hma: Hma, moved: Services) -> None:
    """Deleting it takes its bank along, there and here."""
    hma.run("UPDATE exchange SET fetching_enabled = true, typed_config = "
            """'{"environment": "https://hashsharing.ncmec.org/exploitative"}'""")  # fmt: skip
    outcome, problems = move(hma, moved)
    assert (outcome.complete, problems, outcome.written["exchanges"]) == (True, [], 1)
    [exchange] = moved.catalog.exchanges.every()
    assert exchange.enabled
    assert exchange.config["environment"].endswith("/exploitative")
    hma.run("DELETE FROM content_signal WHERE content_id = 30; DELETE FROM bank_content "
            "WHERE id = 30; DELETE FROM bank WHERE name = 'NCMEC_LIST'; "
            "DELETE FROM exchange_data; DELETE FROM exchange; "
            "DELETE FROM signal_type_override")  # fmt: skip
    outcome, problems = move(hma, moved)
    assert (outcome.complete, problems) == (True, [])
    assert moved.catalog.exchanges.every() == []
    assert moved.catalog.signal_types.ratios() == {}
    assert set(contents_of(moved)) == {20}
    assert "NCMEC_LIST" not in {bank.name for bank in moved.catalog.banks.every()}


def disable(catalog: Catalog) -> object:
    return catalog.contents.update("TERROR", 20, disable_until_ts=0)


def delete(catalog: Catalog) -> object:
    return catalog.contents.delete("TERROR", 20)


def change_bank(catalog: Catalog) -> object:
    return catalog.banks.update("TERROR", enabled_ratio=0.1)


def delete_bank(catalog: Catalog) -> object:
    catalog.banks.delete("TERROR")
    return None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (disable, ["content 20: differs in disable_until_ts"]),
        (delete, ["content 20: differs: it is in HMA, and not here"]),
        (change_bank, ["bank TERROR: was changed here, and not there: left as it is here"]),
        (
            delete_bank,
            ["bank TERROR: was deleted here, with its content, and not there: left as it is here"],
        ),
    ],
)
def test_what_was_changed_here_is_left_alone_and_told(
    hma: Hma, moved: Services, change: Any, told: list[str]
) -> None:
    """While HMA has not changed it. A run that is told to overwrite makes it as HMA has it."""
    state = contents_of(moved), [(b.name, b.enabled_ratio) for b in moved.catalog.banks.every()]
    change(moved.catalog)
    before = dump(moved)
    outcome, problems = move(hma, moved)
    assert not outcome.complete
    assert [f"{problem.what}: {problem.why}" for problem in problems] == told
    assert dump(moved) == before
    outcome, problems = move(hma, moved, overwrite=True)
    assert (outcome.complete, problems) == (True, [])
    banks = [(b.name, b.enabled_ratio) for b in moved.catalog.banks.every()]
    assert (contents_of(moved), sorted(banks)) == (state[0], sorted(state[1]))
    before = dump(moved)
    move(hma, moved, overwrite=True)
    assert dump(moved) == before


def test_hma_wins_when_both_changed(hma: Hma, moved: Services) -> None:
    """Until the switch HMA is where people curate."""
    moved.catalog.contents.update("TERROR", 20, note="here")
    hma.put(Row(20, "TERROR", {"pdq": "ab" * 32}, note="there"))
    outcome, _ = move(hma, moved)
    assert outcome.complete
    assert contents_of(moved)[20].note == "there"


def test_content_made_here_is_never_touched(hma: Hma, services: Services) -> None:
    """Not where a bank has the same name, not where ids collide; and both are told."""
    services.catalog.banks.create("TERROR", 0.5)
    own = services.catalog.contents.add("TERROR", {"pdq": "ef" * 32}, note="mine").id
    hma.put(Row(own, "TERROR", {"pdq": "ab" * 32}), Row(own + 1, "TERROR", {"pdq": "cd" * 32}))
    outcome, problems = move(hma, services)
    assert not outcome.complete
    assert f"content {own}: other content, made here, has this id: left out" in {
        f"{problem.what}: {problem.why}" for problem in problems
    }
    assert contents_of(services) == {
        own: Row(own, "TERROR", {"pdq": "ef" * 32}, note="mine"),
        own + 1: Row(own + 1, "TERROR", {"pdq": "cd" * 32}),
    }
    assert services.catalog.banks.get("TERROR").enabled_ratio == 1.0
    [row] = [row for row in outcome.table if (row.bank, row.signal_type) == ("TERROR", None)]
    assert (row.there, row.here, row.made_here, row.same) == (2, 1, 1, False)


def test_labels_given_here_stay(hma: Hma, moved: Services) -> None:
    """HMA has none, so they are no difference, and outlast a change there."""
    moved.catalog.contents.update("TERROR", 20, labels=["mine"])
    hma.put(Row(20, "TERROR", {"pdq": "ab" * 32}, note="there"))
    outcome, problems = move(hma, moved)
    assert (outcome.complete, problems) == (True, [])
    assert moved.catalog.contents.get("TERROR", 20).labels == ("mine",)


def test_what_was_fetched_here_first_gets_the_id_of_hma(hma: Hma, moved: Services) -> None:
    """Both fetched a new record while both ran: clients know the id that HMA gave it."""
    [exchange] = moved.catalog.exchanges.every()
    new = FetchedRecord("new", {"value": 1}, (("pdq", "ef" * 32),))
    moved.catalog.progress.begin(exchange, "holder", 60)
    moved.catalog.records.store(exchange, "holder", 0, {}, [new], 1)
    [ours] = set(contents_of(moved)) - {20, 30}
    hma.put(Row(41, "NCMEC_LIST", {"pdq": "ef" * 32}, record="new"))
    outcome, problems = move(hma, moved)
    assert (outcome.complete, problems) == (True, [])
    assert set(contents_of(moved)) == {20, 30, 41}
    moved.publisher.publish_all()
    assert published_entries(moved).keys() == {20, 30, 41}
    records = {(row[2], row[4]) for row in dump(moved)["exchange_record"]}
    assert records == {("key", 30), ("new", 41)}
    assert ours > 1_000_000


def test_the_database_is_read_in_one_transaction(hma: Hma) -> None:
    """So a run never sees half of what HMA commits."""
    with open_hma_database(hma.url) as database:
        before = database.overrides()
        hma.run("UPDATE signal_type_override SET enabled_ratio = 0")
        assert database.overrides() == before
