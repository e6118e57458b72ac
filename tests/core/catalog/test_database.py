"""Which databases are taken, what their failures are called, and forks."""

import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event
from sqlmodel import select

from core.catalog import Catalog, database
from core.catalog.database import Database
from core.catalog.models import BankRow
from core.errors import CatalogUnavailable, Misconfigured
from tests.core.catalog.processes import write_until
from tests.forked import CONTEXT, start
from tests.migrated import on_postgres
from tests.postgres import Postgres


@pytest.mark.parametrize(
    "url",
    ["", "x", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?uri=true",
     "mysql://localhost/x", "http://localhost/"],
)  # fmt: skip
def test_other_databases_are_refused_at_once(url: str) -> None:
    """One in memory too: each connection would have its own."""
    with pytest.raises(Misconfigured):
        Catalog(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_is_reached_whatever_its_scheme_is_spelt(
    postgres: Postgres, scheme: str
) -> None:
    """Each way that other programs spell its URL opens the one driver we have."""
    catalog = Catalog(postgres.new_database().replace("postgresql", scheme, 1))
    catalog.migrate()
    assert catalog.banks.every() == []
    catalog.close()


def test_without_its_driver_the_error_says_what_to_install() -> None:
    """The extra is named, rather than a module that cannot be imported."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from core.catalog import Catalog\n"
        "from core.errors import Misconfigured\n"
        "try: Catalog('postgresql://localhost/x').banks.every()\n"
        "except Misconfigured as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert "hma-functions[postgres]" in run.stdout, run.stderr


def test_a_sqlite_file_is_made_with_its_folder(tmp_path: Path) -> None:
    """When it is first needed, and not before."""
    catalog = Catalog(f"sqlite:///{tmp_path}/a/b/catalog.db")
    assert not (tmp_path / "a").exists(), "it was opened before it was needed"
    catalog.migrate()
    catalog.close()
    assert (tmp_path / "a/b/catalog.db").is_file()


def test_a_relative_sqlite_path_is_relative_to_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is the folder the process works in."""
    monkeypatch.chdir(tmp_path)
    catalog = Catalog("sqlite:///catalog.db")
    catalog.migrate()
    catalog.close()
    assert (tmp_path / "catalog.db").is_file()


def test_a_database_without_tables_is_not_available_yet(new_url: Callable[[], str]) -> None:
    """Rather than a bank surely not being there."""
    catalog = Catalog(new_url())
    with pytest.raises(CatalogUnavailable, match="migrate"):
        catalog.banks.get("A")
    catalog.migrate()
    assert catalog.banks.every() == []
    catalog.close()


def test_a_file_that_is_no_database_is_not_available(tmp_path: Path) -> None:
    """Whatever is asked of it; it is not taken for an empty catalog."""
    path = tmp_path / "catalog.db"
    path.write_bytes(b"not a database" * 1000)
    catalog = Catalog(f"sqlite:///{path}")
    for call in (catalog.migrate, catalog.banks.every, lambda: catalog.leases.take("a", "b", 1)):
        with pytest.raises(CatalogUnavailable, match="not a database"):
            call()
    catalog.close()


@pytest.mark.parametrize("blocked", ["catalog.db", "folder"])
def test_a_path_that_cannot_be_made_is_not_available(tmp_path: Path, blocked: str) -> None:
    """A folder where the file should be, or a file where its folder should be."""
    if blocked == "folder":
        (tmp_path / "folder").write_text("a file where a folder should be")
        catalog = Catalog(f"sqlite:///{tmp_path}/folder/catalog.db")
    else:
        (tmp_path / "catalog.db").mkdir()
        catalog = Catalog(f"sqlite:///{tmp_path}/catalog.db")
    with pytest.raises(CatalogUnavailable):
        catalog.migrate()
    with pytest.raises(CatalogUnavailable):
        catalog.banks.every()
    catalog.close()


def test_a_refused_connection_is_not_available() -> None:
    """And the error does not tell the password."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but nobody listens
        catalog = Catalog(f"postgresql://u:secret@127.0.0.1:{free.getsockname()[1]}/x")
        with pytest.raises(CatalogUnavailable) as raised:
            catalog.banks.every()
    assert "secret" not in raised.value.message


def test_a_server_that_never_answers_is_given_up_in_bounded_time() -> None:
    """One that takes connections and is silent is not waited for without end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        catalog = Catalog(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/x")
        began = time.monotonic()
        with pytest.raises(CatalogUnavailable):
            catalog.banks.every()
        assert time.monotonic() - began < 15


def test_a_server_that_went_away_and_came_back_is_used_again(postgres: Postgres) -> None:
    """The connections kept for reuse were cut, and new ones were refused meanwhile."""
    url = postgres.new_database()
    name = url.split("/")[3].partition("?")[0]
    catalog = Catalog(url)
    catalog.migrate()
    bank = catalog.banks.create("A")
    with psycopg.connect(postgres.url, autocommit=True) as admin:

        def cut(allow: bool) -> None:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allow}'.encode())
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

        cut(allow=True)
        assert catalog.banks.get("A") == bank
        cut(allow=False)
        for call in (catalog.banks.every, lambda: catalog.banks.create("B")):
            with pytest.raises(CatalogUnavailable):
                call()
        cut(allow=True)
        assert catalog.banks.every() == [bank]
    catalog.close()


def test_all_that_is_read_at_once_is_one_state(postgres: Postgres) -> None:
    """What others commit between two statements of a reading is seen by the next reading only."""
    url = on_postgres(postgres)
    reader, writer = Database(url), Catalog(url)
    writer.banks.create("A")
    with reader.reading() as session:
        before = session.exec(select(BankRow.name)).all()
        writer.banks.create("B")
        writer.banks.update("A", "C")
        assert session.exec(select(BankRow.name)).all() == before == ["A"]
    with reader.reading() as session:
        assert set(session.exec(select(BankRow.name)).all()) == {"B", "C"}
    reader.close()
    writer.close()


def test_a_connection_lost_within_a_change_undoes_it(postgres: Postgres) -> None:
    """It is told as unavailable, and nothing of the change is there afterwards."""
    url = postgres.new_database()
    catalog = Catalog(url)
    catalog.migrate()
    catalog.banks.create("A", 0.5)
    errors = []

    def change() -> None:
        try:
            catalog.banks.update("A", None, 1.0)
        except CatalogUnavailable as error:
            errors.append(error)

    with psycopg.connect(url, autocommit=True) as admin, psycopg.connect(url) as other:
        other.execute("SELECT * FROM bank FOR UPDATE")
        changing = threading.Thread(target=change)
        changing.start()
        waiting = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while not admin.execute(waiting).fetchall():
            pass
        changing.join()
    assert len(errors) == 1
    assert catalog.banks.get("A").enabled_ratio == 0.5
    catalog.close()


def test_a_lock_is_waited_for_in_bounded_time(
    url: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While readers don't wait at all."""
    catalog.banks.create("A")
    ours, its = CONTEXT.Pipe()
    holder = start(write_until, url, "rename", 4, its)
    assert ours.recv() == "stopped"
    monkeypatch.setattr(database, "LOCK_SECONDS", 1)
    impatient = Catalog(url)
    too_late = threading.Timer(15, holder.kill)
    too_late.start()
    with pytest.raises(CatalogUnavailable):
        impatient.banks.update("A", None, 0.5)
    too_late.cancel()
    assert [bank.name for bank in impatient.banks.every()] == ["A"]
    holder.kill()
    holder.join()
    assert impatient.banks.update("A", None, 0.5).enabled_ratio == 0.5
    impatient.close()


def test_a_child_forked_after_use_has_connections_of_its_own(url: str, catalog: Catalog) -> None:
    """In a program of its own, so that no thread of the tests is copied half-way."""
    catalog.banks.create("A")
    program = """if True:
        import os, sys
        from core.catalog import Catalog
        catalog = Catalog(sys.argv[1])
        catalog.contents.add("A", {"pdq": "f0"})
        children = []
        for n in range(4):
            pid = os.fork()
            if pid == 0:
                for _ in range(10):
                    catalog.contents.add("A", {"pdq": f"f{n}"})
                catalog.close()
                sys.exit()
            children.append(pid)
        for _ in range(10):
            catalog.contents.add("A", {"pdq": "f0"})
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
        catalog.contents.add("A", {"pdq": "f0"})
        catalog.close()
    """
    run = subprocess.run(
        [sys.executable, "-c", program, url],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert len(list(catalog.entries.every("pdq"))) == 52


def test_reading_leaves_no_lock_behind(tmp_path: Path) -> None:
    """A reader in the middle of a stream keeps nobody from writing, or from anything else."""
    catalog = Catalog(f"sqlite:///{tmp_path}/catalog.db")
    catalog.migrate()
    catalog.banks.create("A")
    for _ in range(2):
        catalog.contents.add("A", {"pdq": "f0"})
    stream = catalog.entries.every("pdq")
    next(stream)
    with sqlite3.connect(tmp_path / "catalog.db", timeout=0) as alone:
        alone.execute("BEGIN EXCLUSIVE")
        alone.execute("ROLLBACK")
    alone.close()
    assert len(list(stream)) == 1
    catalog.close()
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.db"]


def test_writers_that_wait_keep_no_reader_out(tmp_path: Path) -> None:
    """However many wait for a SQLite file, a reader gets a connection."""
    url = f"sqlite:///{tmp_path}/catalog.db"
    busy, catalog, writers = Catalog(url), Catalog(url), 32
    busy.migrate()
    waiting = threading.Semaphore(0)

    @event.listens_for(catalog._database.engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "BEGIN IMMEDIATE":
            waiting.release()

    with ThreadPoolExecutor(writers) as pool, busy._database.writing():
        written = [pool.submit(catalog.banks.create, f"BANK_{n}") for n in range(writers)]
        for _ in range(writers):
            assert waiting.acquire(timeout=10), "a writer waits for a connection, not for its turn"
        assert catalog.banks.every() == []
    assert {done.result() for done in written} == set(catalog.banks.every())
    catalog.close()
    busy.close()
