"""The database of a running HMA 1.1.7: its tables, read in one state and in bounded memory.

Nothing is written to it, and no column that holds a pickle is read.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, IsolationLevel

from core.errors import BadInput, Unavailable

AT_ONCE = 2000
"""Rows that a cursor of the server hands out at a time."""

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bank": ("id", "name", "enabled_ratio", "import_from_exchange_id"),
        "bank_content": (
            *("id", "bank_id", "imported_from_id", "disable_until_ts"),
            *("original_content_uri", "bank_content_metadata", "note"),
        ),
        "content_signal": ("content_id", "signal_type", "signal_val"),
        "exchange": ("id", "name", "api_cls", "typed_config", "fetching_enabled"),
        "exchange_data": ("id", "collab_id", "fetch_id"),
        "exchange_api_config": ("api", "default_credentials_json"),
        "signal_type_override": ("name", "enabled_ratio"),
    }
)
"""All that is read. A user of the database needs to be allowed no more."""


@dataclass(frozen=True)
class HmaBank:
    """A row of `bank`."""

    id: int
    name: Any
    enabled_ratio: Any
    exchange_id: int | None


@dataclass(frozen=True)
class HmaExchange:
    """A row of `exchange`; the config is JSON text."""

    id: int
    name: Any
    api: Any
    config: str | None
    enabled: bool


@dataclass(frozen=True)
class HmaContent:
    """A row of `bank_content` with its signals, and where it was imported from.

    Attributes:
        metadata: JSON text.
        imported_from_id: the row of `exchange_data` that it names.
        exchange_id, fetch_id: what that row says; None when there is none.
        signals: pairs of type and signal.
    """

    id: int
    bank_id: int
    disable_until_ts: Any
    uri: str | None
    metadata: str | None
    note: str | None
    imported_from_id: int | None
    exchange_id: int | None
    fetch_id: str | None
    signals: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class HmaOrphan:
    """A signal whose content is not there."""

    content_id: int
    signal_type: Any


class HmaDatabase:
    """One state of an HMA's database, whatever that HMA writes while it is read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def banks(self) -> list[HmaBank]:
        """All banks, by id."""
        rows = self._rows(
            "SELECT id, name, enabled_ratio, import_from_exchange_id FROM bank ORDER BY id"
        )
        return [HmaBank(*row) for row in rows]

    def exchanges(self) -> list[HmaExchange]:
        """All exchanges, by id."""
        rows = self._rows(
            "SELECT id, name, api_cls, typed_config::text, fetching_enabled "
            "FROM exchange ORDER BY id"
        )
        return [HmaExchange(*row) for row in rows]

    def credentials(self) -> dict[str, str]:
        """JSON text by API, of those that have some."""
        rows = self._rows(
            "SELECT api, default_credentials_json::text FROM exchange_api_config "
            "WHERE default_credentials_json IS NOT NULL ORDER BY api"
        )
        return dict(rows)

    def overrides(self) -> dict[str, float]:
        """The ratio of each signal type that has one of its own."""
        return dict(self._rows("SELECT name, enabled_ratio FROM signal_type_override"))

    def last_content_id(self) -> int:
        """The largest id that it has ever given to content, as far as that can be known."""
        [(largest,)] = self._rows("SELECT coalesce(max(id), 0) FROM bank_content")
        [(sequence,)] = self._rows("SELECT pg_get_serial_sequence('bank_content', 'id')")
        if sequence is None:
            return int(largest)
        query = (
            "SELECT coalesce(CASE WHEN has_sequence_privilege(%s, 'USAGE, SELECT') "
            "THEN pg_sequence_last_value(%s::regclass) END, 0)"
        )
        [(last,)] = self._rows(query, sequence, sequence)
        return max(int(largest), int(last))

    def contents(self) -> Iterator[HmaContent | HmaOrphan]:
        """All content by ascending id, and orphans where their content would have been."""
        contents = self._stream(
            "contents",
            "SELECT c.id, c.bank_id, c.disable_until_ts, c.original_content_uri, "
            "c.bank_content_metadata::text, c.note, c.imported_from_id, d.collab_id, d.fetch_id "
            "FROM bank_content c LEFT JOIN exchange_data d ON d.id = c.imported_from_id "
            "ORDER BY c.id",
        )
        signals = groupby(
            self._stream(
                "signals",
                "SELECT content_id, signal_type, signal_val FROM content_signal "
                "ORDER BY content_id, signal_type, signal_val",
            ),
            key=itemgetter(0),
        )
        owner, group = next(signals, (None, iter(())))
        for row in contents:
            while owner is not None and owner < row[0]:
                yield from (HmaOrphan(owner, name) for _, name, _ in group)
                owner, group = next(signals, (None, iter(())))
            mine: tuple[tuple[Any, Any], ...] = ()
            if owner == row[0]:
                mine = tuple((name, value) for _, name, value in group)
                owner, group = next(signals, (None, iter(())))
            yield HmaContent(*(*row, mine))
        while owner is not None:
            yield from (HmaOrphan(owner, name) for _, name, _ in group)
            owner, group = next(signals, (None, iter(())))

    def counts(self) -> dict[tuple[str | None, str | None], int]:
        """How many signals by bank and type, and under the type None how many contents.

        Under the bank None stands what is in none.
        """
        contents = self._rows(
            "SELECT b.name, count(c.id) FROM bank_content c FULL JOIN bank b ON b.id = c.bank_id "
            "GROUP BY b.name"
        )
        signals = self._rows(
            "SELECT b.name, s.signal_type, count(*) FROM content_signal s "
            "LEFT JOIN bank_content c ON c.id = s.content_id "
            "LEFT JOIN bank b ON b.id = c.bank_id GROUP BY b.name, s.signal_type"
        )
        counts: dict[tuple[str | None, str | None], int] = {(b, None): n for b, n in contents}
        return counts | {(bank, name): n for bank, name, n in signals}

    def check(self) -> None:
        """Raises BadInput unless all that is read is there and may be read."""
        rows = self._rows(
            "SELECT table_name::text, column_name::text FROM information_schema.columns "
            "WHERE table_schema = ANY(current_schemas(false))"
        )
        there = set(rows)
        missing = [
            f"{table}.{column}"
            for table, columns in COLUMNS.items()
            for column in columns
            if (table, column) not in there
        ]
        if missing:
            raise BadInput(
                "this is not the database of an HMA 1.1.7, or its user may not read all of it: "
                f"there is no {', '.join(missing)}"
            )

    def _rows(self, query: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, parameters).fetchall()

    def _stream(self, name: str, query: LiteralString) -> Iterator[Any]:
        with self._connection.cursor(name) as cursor:
            cursor.itersize = AT_ONCE
            yield from cursor.execute(query)


@contextmanager
def open_hma_database(url: str) -> Iterator[HmaDatabase]:
    """The database at `url`, as HMA's own `DATABASE_URI` or as any PostgreSQL tool writes it.

    Raises:
        BadInput: it is no such URL, or no database of HMA's.
        Unavailable: it does not answer, or no longer.
    """
    match = re.fullmatch(r"postgres(?:ql)?(?:\+\w+)?(://.*)", url, re.DOTALL)
    if match is None:
        raise BadInput("HMA's database is named by a URL: postgresql://user:password@host/name")
    try:
        with psycopg.connect(f"postgresql{match[1]}", connect_timeout=10) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            database = HmaDatabase(connection)
            database.check()
            yield database
    except psycopg.ProgrammingError as error:  # it may quote the URL, with the password
        reason = error.diag.message_primary or "its URL cannot be understood"
        raise BadInput(f"HMA's database cannot be read: {reason}") from None
    except psycopg.Error as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(f"HMA's database does not answer: {reason}") from error
