"""Bringing a database to the tables that this version works with."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from core.catalog.database import Database, answering
from core.errors import Misconfigured

ADVISORY_LOCK = 0x484D41  # "HMA": any number that nobody else on the server locks


def migrate(database: Database) -> None:
    """Run the migrations that the database has not seen, all of them or none.

    Safe when many processes start at once: one does it and the others wait for that.

    Raises:
        CatalogUnavailable: the database cannot be reached.
        Misconfigured: a newer version of this program has migrated it further.
    """
    path = database.sqlite_file
    with answering():
        engine = database.engine
        with nullcontext() if path is None else _alone(path), engine.connect() as connection:
            if path is not None:
                _keep_log(connection)
            # Look first without a lock: a process also starts while others write.
            with connection.begin():
                if _is_current(connection):
                    return
            with connection.execution_options(writes=path is not None).begin():
                if path is None:
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
                if not _is_current(connection):
                    _upgrade(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "core.catalog:migrations")
    return config


def _is_current(connection: Connection) -> bool:
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(
            f"the catalog was made by a newer version of this program: {error}"
        ) from error


def _keep_log(connection: Connection) -> None:
    """Set the file, for good, to write-ahead logging: readers and the writer don't wait."""
    raw = connection.connection.cursor()
    raw.execute("PRAGMA journal_mode = WAL")
    raw.close()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for other migrations of this file.

    A lock of SQLite's would not do: changing the journal mode doesn't wait for one but fails.
    The folder is locked, and not a file made for it, which would lie about for ever.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
