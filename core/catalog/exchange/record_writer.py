"""Records of exchanges as rows, each with the content that it becomes; at most so many at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session, col

from core.catalog.exchange.fetched_record import ContentChanges, FetchedRecord, Signals
from core.catalog.exchange.record_content import (
    Marked,
    delete_contents,
    insert_contents,
    lock_contents,
    read_signals,
    replace_signals,
    write_signals,
)
from core.catalog.models import ExchangeRecordRow

T = TypeVar("T")

AT_ONCE = 1000
"""Records a statement, which bounds its parameters."""


@dataclass(frozen=True)
class _Stored:
    """A record that is stored already, its content and that one's signals, if it has any."""

    id: int
    content_id: int | None
    signals: Signals | None


class RecordWriter:
    """Writes records of one transaction, up to `AT_ONCE` with each call.

    Attributes:
        changes: what that changed so far, but for signal types.
        marked: what must be marked at the end of the transaction.
    """

    def __init__(self, session: Session, exchange_id: int, bank_id: int, round_number: int) -> None:
        self._session = session
        self._connection = session.connection()
        self._exchange_id = exchange_id
        self._bank_id = bank_id
        self._round = round_number
        self.changes = ContentChanges()
        self.marked: Marked = set()

    def write(self, fetched: Sequence[FetchedRecord]) -> None:
        """Store `fetched`, whose keys differ, and make the content of each what it says."""
        stored = self._stored(fetched)
        live = [record for record in fetched if not record.gone]
        lasting = {record.key for record in live if record.signals}
        leaving = [former for key, former in stored.items() if key not in lasting]
        contents = self._write_contents(live, stored)
        self._write_rows(live, stored, contents)
        gone = [stored[r.key].id for r in fetched if r.gone and r.key in stored]
        self._connection.execute(
            delete(ExchangeRecordRow).where(col(ExchangeRecordRow.id).in_(gone))
        )
        deleted = {
            former.content_id: former.signals or ()
            for former in leaving
            if former.content_id is not None
        }
        self.marked |= delete_contents(self._session, deleted)
        self.changes.removed += len(deleted)
        self.changes.poisoned += sum(record.poison is not None for record in live)

    def _stored(self, fetched: Sequence[FetchedRecord]) -> dict[str, _Stored]:
        """Those that are stored already; content that will change or go is locked."""
        rows = self._connection.execute(
            select(
                col(ExchangeRecordRow.key),
                col(ExchangeRecordRow.id),
                col(ExchangeRecordRow.content_id),
            ).where(
                col(ExchangeRecordRow.exchange_id) == self._exchange_id,
                col(ExchangeRecordRow.key).in_([record.key for record in fetched]),
            )
        ).all()
        signals = read_signals(self._session, [row[2] for row in rows if row[2] is not None])
        stored: dict[str, _Stored] = {}
        for key, record_id, content_id in rows:
            assert record_id is not None
            held = content_id if content_id in signals else None
            stored[key] = _Stored(record_id, held, None if held is None else signals[held])
        touched = [
            former.content_id
            for record in fetched
            if (former := stored.get(record.key))
            and former.content_id is not None
            and former.signals != record.signals
        ]
        # Deleted by a curator this very moment.
        vanished = set(touched) - lock_contents(self._session, touched)
        return {
            key: _Stored(former.id, None, None) if former.content_id in vanished else former
            for key, former in stored.items()
        }

    def _write_contents(
        self, live: Sequence[FetchedRecord], stored: dict[str, _Stored]
    ) -> dict[str, int]:
        """The content of each record that has signals, made where there is none, with those."""
        banked = [record for record in live if record.signals]
        formers = {record.key: stored.get(record.key) for record in banked}
        contents = {
            key: former.content_id
            for key, former in formers.items()
            if former is not None and former.content_id is not None
        }
        new = [record for record in banked if record.key not in contents]
        changed: dict[int, Signals] = {}
        formerly: dict[int, Signals] = {}
        for record in banked:
            former = formers[record.key]
            if former is None or former.content_id is None or former.signals == record.signals:
                continue
            changed[former.content_id] = record.signals
            formerly[former.content_id] = former.signals or ()
        self.marked |= replace_signals(self._session, changed, formerly)
        ids = insert_contents(self._session, self._bank_id, len(new))
        made = {content_id: record.signals for content_id, record in zip(ids, new, strict=True)}
        self.marked |= write_signals(self._session, made)
        self.changes.added += len(new)
        self.changes.changed += len(changed)
        return contents | {record.key: id_ for id_, record in zip(ids, new, strict=True)}

    def _write_rows(
        self,
        live: Sequence[FetchedRecord],
        stored: dict[str, _Stored],
        contents: dict[str, int],
    ) -> None:
        new: list[dict[str, Any]] = []
        same: list[dict[str, Any]] = []
        other: list[dict[str, Any]] = []
        for record in live:
            content_id = contents.get(record.key)
            values = {"record": record.record, "poison": record.poison, "round": self._round}
            former = stored.get(record.key)
            if former is None:
                key = {"exchange_id": self._exchange_id, "key": record.key}
                new.append({**values, **key, "content_id": content_id})
            elif former.content_id == content_id:
                # What a curator deletes meanwhile sets this to null: it must not be set again.
                same.append({**values, "stored_id": former.id})
            else:
                other.append({**values, "stored_id": former.id, "content_id": content_id})
        if new:
            self._connection.execute(insert(ExchangeRecordRow), new)
        row = update(ExchangeRecordRow).where(col(ExchangeRecordRow.id) == bindparam("stored_id"))
        fields: dict[str, Any] = {name: bindparam(name) for name in ("record", "poison", "round")}
        if same:
            self._connection.execute(row.values(**fields), same)
        if other:
            self._connection.execute(
                row.values(**fields, content_id=bindparam("content_id")), other
            )


def chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """`items` in order, `AT_ONCE` at a time."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
