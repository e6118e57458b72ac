"""Catalogs with their tables: one of each kind is migrated, and the others are copies of that."""

import tempfile
from functools import cache
from pathlib import Path

from core.catalog import Catalog
from tests.postgres import Postgres


def on_sqlite(file: Path) -> str:
    """The URL of a new catalog in `file`."""
    file.write_bytes(_sqlite())
    return f"sqlite:///{file}"


def on_postgres(server: Postgres) -> str:
    """The URL of a new catalog in a database of its own."""
    return server.new_database(like=_postgres(server))


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "catalog.db")
        _migrate(f"sqlite:///{file}")
        assert [one.name for one in Path(folder).iterdir()] == [file.name], "its log is left"
        return file.read_bytes()


@cache
def _postgres(server: Postgres) -> str:
    url = server.new_database()
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    catalog = Catalog(url)
    catalog.migrate()
    catalog.close()
