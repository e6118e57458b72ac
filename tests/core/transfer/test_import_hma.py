"""Moving from HMA: nothing is lost, ids are equal, and what is published is the live set."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from core.catalog.transfer import transferred_content
from core.catalog.transfer.transferred_content import TransferredContents
from core.errors import BadInput, Unavailable
from core.services import Services
from core.transfer import hma_database, import_hma
from core.transfer.hma_database import COLUMNS, open_hma_database
from core.transfer.import_hma import FREE_IDS
from tests.core.transfer.conftest import contents_of, dump, move
from tests.hma import Hma, Row, new_hma, rows
from tests.postgres import Postgres
from tests.published import catalog_entries, published_entries


def test_everything_that_hma_keeps_is_kept(hma: Hma, services: Services) -> None:
    """Banks and ratios, an exchange with its config and credentials, overrides, all of content."""
    every = Row(
        *(77, "TERROR", {"pdq": "ab" * 32, "video_md5": "cd" * 16}, 2_000_000_000),
        *(
            "https://example.com/a",
            {"content_id": "x", "json": {"b": [1.5, None, "é"]}},
            "a “note”",
        ),
    )
    others = (
        Row(70, "SOMETIMES", {"pdq": "0" * 64}, disable_until_ts=0),
        Row(71, "NCMEC_LIST", {"video_md5": "0" * 32}, record="42-abc"),
        Row(80, "NCMEC_LIST", {}, record="43-abc"),
    )
    hma.put(*others, every)
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    assert contents_of(services) == {row.id: row for row in (*others, every)}
    banks = {bank.name: bank.enabled_ratio for bank in services.catalog.banks.every()}
    assert banks == {"TERROR": 1.0, "SOMETIMES": 0.25, "NCMEC_LIST": 1.0, "EMPTY": 0.0}
    [exchange] = services.catalog.exchanges.every()
    assert (exchange.name, exchange.api, exchange.enabled) == ("NCMEC_LIST", "ncmec", False)
    assert exchange.bank_id == services.catalog.banks.get("NCMEC_LIST").id
    assert exchange.config == {
        "environment": "https://hashsharing.ncmec.org/npo",
        "only_esp_ids": [3, 7],
    }
    credentials = services.credentials.get("ncmec")
    assert (credentials.user, credentials.password) == ("someone", "hunter2")
    assert services.catalog.signal_types.ratios() == {"video_md5": 0.5}
    records = dump(services)["exchange_record"]
    assert {(key, content_id) for _, _, key, _, content_id, *_ in records} == {
        ("42-abc", 71),
        ("43-abc", 80),
    }


def test_20000_contents(hma: Hma, services: Services) -> None:
    """All of them, with equal ids; a second run changes nothing; what is published is the same."""
    given = {row.id: row for row in rows(20_000)}
    hma.put(*given.values())
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems, outcome.written["contents"]) == (True, [], 20_000)
    assert contents_of(services) == given
    assert sum(row.here for row in outcome.table if row.signal_type is None) == 20_000
    assert sum(row.here for row in outcome.table if row.signal_type == "video_md5") == 2000
    before = dump(services)
    again, problems = move(hma, services)
    assert (again.complete, problems, set(again.written.values())) == (True, [], {0})
    assert dump(services) == before

    services.publisher.publish_all()
    for signal_type in ("pdq", "video_md5"):
        published = published_entries(services, signal_type=signal_type)
        assert published == catalog_entries(services, signal_type)
        live = {row.id: row.signals[signal_type] for row in given.values()
                if signal_type in row.signals}  # fmt: skip
        assert {key: entry.signals[0] for key, entry in published.items()} == live


def test_memory_does_not_grow_with_content(
    hma: Hma, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times the content takes no more memory, whether it is new or known already."""
    for module in (hma_database, import_hma, transferred_content):
        monkeypatch.setattr(module, "AT_ONCE", 50)  # so that some hundreds are many already

    def peak() -> int:
        tracemalloc.start()
        outcome, _ = move(hma, services)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert outcome.complete
        return highest

    hma.put(*rows(1))
    move(hma, services)  # what is made once is made
    hma.put(*rows(500, first=1000))
    small, small_again = peak(), peak()
    hma.put(*rows(1500, seed=1, first=100_000))
    little = 200_000  # bytes; to hold on to the content alone would take four times that
    assert peak() < small + little
    assert peak() < small_again + little


def test_ids_go_on_above_those_of_hma(hma: Hma, services: Services) -> None:
    """Content made here neither takes an id that HMA has given, nor one that it will soon give."""
    hma.put(Row(500, "TERROR", {"pdq": "ab" * 32}))
    hma.run("SELECT setval('bank_content_id_seq', 900)")  # 501 to 900 have been deleted since
    move(hma, services)
    made = services.catalog.contents.add("TERROR", {"pdq": "cd" * 32}).id
    assert made == 900 + FREE_IDS + 1
    hma.put(Row(901, "TERROR", {"pdq": "ef" * 32}))
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    assert set(contents_of(services)) == {500, 901, made}
    assert [row.made_here for row in outcome.table if row.bank == "TERROR"] == [1, 1]
    assert services.catalog.contents.add("TERROR", {"pdq": "cd" * 32}).id > made


def test_only_the_columns_it_names_are_read(hma: Hma, services: Services) -> None:
    """A user who may read nothing else is enough: the pickles need not even be readable."""
    hma.put(*rows(50))
    hma.run("CREATE ROLE mover_" + (name := hma.url.split("test_")[1][:32]) + " LOGIN")
    for table, columns in COLUMNS.items():
        hma.run(f"GRANT SELECT ({', '.join(columns)}) ON {table} TO mover_{name}")
    reader = Hma(hma.url.replace("postgres:@", f"mover_{name}:@"))
    with (
        psycopg.connect(reader.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT pickled_fetch_signal_metadata FROM exchange_data")
    outcome, problems = move(reader, services)
    assert (outcome.complete, problems) == (True, [])
    assert not Path("/tmp/hma-was-unpickled").exists()


def test_nothing_is_written_to_hma(hma: Hma) -> None:
    """The connection refuses to."""
    with (
        pytest.raises(Unavailable, match="read-only transaction"),
        open_hma_database(hma.url) as database,
    ):
        database._rows("INSERT INTO signal_type_override (name, enabled_ratio) VALUES ('x', 1)")


def test_one_state_of_hma_is_moved(
    hma: Hma, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its people do meanwhile is for the next run, and no difference in this one."""
    hma.put(*rows(50))
    put = TransferredContents.put

    def meanwhile(self: TransferredContents, states: object) -> set[int]:
        hma.put(Row(100_000, "TERROR", {"pdq": "ab" * 32}))
        hma.run("DELETE FROM content_signal; DELETE FROM bank_content WHERE id < 30")
        return put(self, states)  # type: ignore[arg-type]

    monkeypatch.setattr(TransferredContents, "put", meanwhile)
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems, len(contents_of(services))) == (True, [], 50)
    monkeypatch.undo()
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    assert 100_000 in contents_of(services)
    assert min(contents_of(services)) >= 30


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("sqlite:///x.db", BadInput, "postgresql://user:password@host/name"),
        ("postgresql://u:hun%ter2@h/d", BadInput, "cannot be understood"),
        ("postgresql+psycopg2://u:hunter2@127.0.0.1:1/d", Unavailable, "does not answer"),
    ],
)
def test_urls_that_lead_nowhere(url: str, error: type[Exception], said: str) -> None:
    """The error says what is wrong, and never the password."""
    with pytest.raises(error, match=said) as caught, open_hma_database(url):
        pass
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_another_database_is_refused(postgres: Postgres) -> None:
    """One without HMA's tables, and one of an older HMA."""
    with (
        pytest.raises(BadInput, match=r"HMA 1\.1\.7.* no bank\.id"),
        open_hma_database(postgres.new_database()),
    ):
        pass
    older = new_hma(postgres.new_database())
    older.run("ALTER TABLE bank_content DROP COLUMN note")
    with (
        pytest.raises(BadInput, match=r"there is no bank_content\.note$"),
        open_hma_database(older.url),
    ):
        pass


def test_credentials_are_sealed(hma: Hma, new_services: Callable[[], Services]) -> None:
    """With a key they are in the catalog only encrypted; moved again they stay as they were."""
    plain = new_services()
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    settings = plain.settings.model_copy(update={"credentials_key": (key,)})
    services = Services(settings)
    move(hma, services)
    before = dump(services)["credential"]
    assert "hunter2" not in str(before)
    assert services.credentials.get("ncmec").password == "hunter2"
    move(hma, services)
    assert dump(services)["credential"] == before
    hma.run("""UPDATE exchange_api_config SET default_credentials_json =
               '{"user":"someone","password":"changed"}' WHERE api = 'ncmec'""")
    move(hma, services)
    assert services.credentials.get("ncmec").password == "changed"
    services.catalog.close()
