"""Records of exchanges: storing what was fetched, and what of it is here.

The checkpoint moves in the transaction that stores what lies before it: see `fetch_progress`.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from core.catalog.database import Database
from core.catalog.exchange.exchange import Exchange
from core.catalog.exchange.fetch_progress import advance_progress
from core.catalog.exchange.fetched_record import ContentChanges, FetchedRecord
from core.catalog.exchange.record_content import Marked, delete_contents, read_signals
from core.catalog.exchange.record_counts import RecordCounts, read_record_counts
from core.catalog.exchange.record_writer import RecordWriter, chunks
from core.catalog.marks import mark_all
from core.catalog.models import BankRow, ExchangeRecordRow


class Records:
    """The fetched records of all exchanges of one catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(
        self,
        exchange: Exchange,
        holder: str,
        seconds: float,
        progress: dict[str, Any],
        fetched: Sequence[FetchedRecord] = (),
        round_number: int = 0,
    ) -> ContentChanges:
        """Store `fetched`, whose keys differ, and move the progress on, at once.

        Args:
            holder: whose fetch it is, which keeps the exchange for `seconds` more; 0 gives it back.
            progress: fields of `Progress` that change.
            round_number: the round in which they were seen.

        Raises:
            Superseded: another fetch has it now, or it has been deleted. Nothing has changed.
        """
        with self._database.writing() as session:
            advance_progress(session, exchange.id, holder, seconds, progress)
            session.connection().execute(
                select(col(BankRow.id))
                .where(col(BankRow.id) == exchange.bank_id)
                .with_for_update(read=True)
            )
            writer = RecordWriter(session, exchange.id, exchange.bank_id, round_number)
            for chunk in chunks(fetched):
                writer.write(chunk)
            return _mark_changes(session, writer.changes, writer.marked)

    def sweep(
        self, exchange: Exchange, holder: str, seconds: float, round_number: int, limit: int
    ) -> tuple[int, ContentChanges]:
        """Remove up to `limit` records that this round has not seen, with their content.

        Args:
            holder, seconds: as for `store`.

        Returns:
            How many records, and what that changed; call again until it is none.

        Raises:
            Superseded: as `store`.
        """
        unseen = (
            select(col(ExchangeRecordRow.id), col(ExchangeRecordRow.content_id))
            .where(
                col(ExchangeRecordRow.exchange_id) == exchange.id,
                col(ExchangeRecordRow.round) < round_number,
            )
            .limit(limit)
        )
        changes = ContentChanges()
        marked: Marked = set()
        with self._database.writing() as session:
            advance_progress(session, exchange.id, holder, seconds, {})
            rows = session.connection().execute(unseen).all()
            for chunk in chunks(rows):
                contents = [content_id for _, content_id in chunk if content_id is not None]
                signals = read_signals(session, contents)
                session.connection().execute(
                    delete(ExchangeRecordRow).where(
                        col(ExchangeRecordRow.id).in_([record_id for record_id, _ in chunk])
                    )
                )
                marked |= delete_contents(session, signals)
                changes.removed += len(signals)
            return len(rows), _mark_changes(session, changes, marked)

    def get(self, exchange: Exchange, keys: Sequence[str]) -> dict[str, Any]:
        """The records of those of `keys` that are here, as JSON, by key."""
        records: dict[str, Any] = {}
        with self._database.reading() as session:
            for chunk in chunks(keys):
                rows = session.connection().execute(
                    select(col(ExchangeRecordRow.key), col(ExchangeRecordRow.record)).where(
                        col(ExchangeRecordRow.exchange_id) == exchange.id,
                        col(ExchangeRecordRow.key).in_(chunk),
                    )
                )
                records |= {key: record for key, record in rows}  # noqa: C416  # rows, not pairs
        return records

    def poisoned(
        self, exchange: Exchange, after: int, limit: int
    ) -> list[tuple[int, str, str, Any]]:
        """(id, key, reason, record) of records set aside whose id is larger than `after`, by id."""
        set_aside = (
            select(
                col(ExchangeRecordRow.id),
                col(ExchangeRecordRow.key),
                col(ExchangeRecordRow.poison),
                col(ExchangeRecordRow.record),
            )
            .where(
                col(ExchangeRecordRow.exchange_id) == exchange.id,
                col(ExchangeRecordRow.poison).is_not(None),
                col(ExchangeRecordRow.id) > after,
            )
            .order_by(col(ExchangeRecordRow.id))
            .limit(limit)
        )
        with self._database.reading() as session:
            return [tuple(row) for row in session.connection().execute(set_aside)]

    def count(self, exchange: Exchange) -> int:
        """How many of its records are here, those set aside too."""
        records = select(func.count()).where(col(ExchangeRecordRow.exchange_id) == exchange.id)
        with self._database.reading() as session:
            return int(session.connection().execute(records).scalar_one())

    def counts(self, exchange: Exchange) -> RecordCounts:
        """What is there of it, and how much of that awaits publication."""
        with self._database.reading() as session:
            return read_record_counts(session, exchange.id, exchange.bank_id)


def _mark_changes(session: Session, changes: ContentChanges, marked: Marked) -> ContentChanges:
    """Mark at the very end and all at once: publishers lock marks in this order too."""
    mark_all(session, marked)
    changes.signal_types = {signal_type for signal_type, _ in marked}
    return changes
