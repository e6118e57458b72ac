"""The database behind the catalog: connections, transactions, and what their failures mean.

Nothing is opened before it is needed, and never the connections of another process:
functions-framework imports a target before it forks.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, SQLModel

from core.errors import CatalogUnavailable, Misconfigured

LOCK_SECONDS = 20
"""Longest wait for a lock. Deleting a bank of a million holds one for seconds, nothing longer."""

CONNECTIONS = 8
"""To PostgreSQL, for each process: it lets in 100 by default, from all of them together."""

PATIENCE = {
    "connect_timeout": "3",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
}
"""libpq's limits (seconds, milliseconds, seconds, seconds), so that a silent network is noticed.
The URL may set its own."""

PROGRAM = "program"
"""Who acts when nobody else does: a schedule, an import, a function without access control."""

ACTOR = "actor"
"""The key of `Session.info` under which a transaction that writes says who acts in it."""

UNDEFINED_TABLE = "42P01"
"""PostgreSQL's code for it."""


class Database:
    """One database, by URL.

    It also carries who acts, as a name: each transaction that writes has it in `Session.info`,
    where the audit reads it, so that no function between the two need hand it on.

    Args:
        url: `sqlite:////path/to/file.db` (made with its folder when missing) or
            `postgresql://user:password@host/name`; psycopg 3 whatever driver it names.

    Raises:
        Misconfigured: it is neither.
    """

    def __init__(self, url: str) -> None:
        self.url = _parsed(url)
        self.actor = PROGRAM
        self._engines: dict[int, Engine] = {}

    def acting_as(self, actor: str) -> Self:
        """The same database, by the same connections, in which `actor` acts."""
        other = copy(self)
        other.actor = actor
        return other

    @property
    def engine(self) -> Engine:
        """This process's engine. A parent's is kept but left alone: its sockets are not ours."""
        pid = os.getpid()
        if pid not in self._engines:
            # Two threads may both make one, and connect only through the one that got in.
            self._engines.setdefault(pid, _engine(self.url))
        return self._engines[pid]

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One state of the database, unchanged by whatever commits meanwhile.

        Raises:
            CatalogUnavailable: it cannot be reached, or has not been migrated.
        """
        snapshot = {} if self.sqlite_file else {"isolation_level": "REPEATABLE READ"}
        with answering(), Session(self.engine) as session:
            session.connection(execution_options=snapshot)
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction: all of it at the end of the block, or nothing if that raises.

        SQLite lets one writer in at a time. PostgreSQL lets in all of them, and each statement
        sees what had been committed when it began: lock first what must not change.

        Raises:
            CatalogUnavailable: as `reading`; or a lock was not had within `LOCK_SECONDS`. When
                the connection breaks during the commit, the change may have been made.
        """
        with answering(), Session(self.engine) as session:
            session.connection(execution_options={"writes": True})
            session.info[ACTOR] = self.actor
            yield session
            session.commit()

    def close(self) -> None:
        """Close this process's idle connections. Using the database again opens new ones."""
        engine = self._engines.pop(os.getpid(), None)
        if engine is not None:
            engine.dispose()

    @property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite database, None for PostgreSQL."""
        return Path(self.url.database or "") if self.url.drivername == "sqlite" else None


def upsert(session: Session, table: type[SQLModel]) -> Any:
    """INSERT with ON CONFLICT, which both databases spell alike and SQLAlchemy names apart."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


@contextmanager
def answering() -> Iterator[None]:
    """Turn what a database raises when it cannot answer into `CatalogUnavailable`.

    A statement that can never succeed (a constraint, a value, its syntax) is ours to prevent,
    and passes as it is.
    """
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except (DatabaseError, InterfaceError, sqlite3.Error) as error:
        cause = getattr(error, "orig", error)
        if getattr(cause, "sqlstate", None) == UNDEFINED_TABLE or "no such table" in str(cause):
            raise CatalogUnavailable("the catalog has no tables yet: migrate it first") from error
        if isinstance(error, ProgrammingError):
            raise
        reason = str(cause).partition("\n")[0]
        raise CatalogUnavailable(f"the catalog's database does not answer: {reason}") from error
    except PoolTimeout as error:
        raise CatalogUnavailable("the catalog's connections are all in use") from error
    except OSError as error:
        raise CatalogUnavailable(f"the catalog's file cannot be made: {error}") from error


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise Misconfigured(
            "the catalog's URL is none: sqlite:////path or postgresql://…"
        ) from error
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database.startswith((":", "file:")):
                raise Misconfigured(
                    "the catalog needs a file of its own: sqlite:////path/to/file.db"
                )
            return url.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg", query={**PATIENCE, **url.query})
        case other:
            raise Misconfigured(f"the catalog is kept in sqlite or postgresql, not in {other}")


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        # As many connections as threads: those that wait to write must not keep out readers.
        engine = create_engine(url, connect_args={"timeout": LOCK_SECONDS}, max_overflow=-1)
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=LOCK_SECONDS,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise Misconfigured("for postgresql, install hma-functions[postgres]") from error
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _open_sqlite(connection: Any, _record: Any) -> None:
    # sqlite3 would begin transactions by itself, and only at the first change.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that starts to write when another has written fails at once, however
    # long it may wait; one that says at the beginning that it will write waits for its turn.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: Connection) -> None:
    # For one transaction only: poolers between us and the server hand connections around.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
