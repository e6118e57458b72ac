"""How much of an exchange is here."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core.catalog.models import ContentRow, DirtyRow, ExchangeRecordRow, SignalRow


@dataclass(frozen=True)
class RecordCounts:
    """What is there of an exchange, and how much of it the index does not know yet.

    Attributes:
        records: fetched, those set aside too.
        poisoned: set aside, or not understood in full.
        contents: in its bank.
        signals: in its bank, by signal type.
        unpublished: changes that may concern it and await publication.
    """

    records: int
    poisoned: int
    contents: int
    signals: dict[str, int]
    unpublished: int


def read_record_counts(session: Session, exchange_id: int, bank_id: int) -> RecordCounts:
    """What is there of an exchange, in one state of the catalog."""
    connection = session.connection()
    records = connection.execute(
        select(func.count(), func.count(col(ExchangeRecordRow.poison))).where(
            col(ExchangeRecordRow.exchange_id) == exchange_id
        )
    ).one()
    contents = connection.execute(
        select(func.count()).where(col(ContentRow.bank_id) == bank_id)
    ).scalar_one()
    signals = connection.execute(
        select(col(SignalRow.signal_type), func.count())
        .join(ContentRow, col(ContentRow.id) == SignalRow.content_id)
        .where(col(ContentRow.bank_id) == bank_id)
        .group_by(col(SignalRow.signal_type))
    )
    # Of content that has gone nobody knows any more whose it was.
    unpublished = connection.execute(
        select(func.count())
        .select_from(DirtyRow)
        .outerjoin(ContentRow, col(ContentRow.id) == DirtyRow.content_id)
        .where(or_(col(ContentRow.bank_id) == bank_id, col(ContentRow.id).is_(None)))
    ).scalar_one()
    return RecordCounts(*records, contents, {name: n for name, n in signals}, unpublished)  # noqa: C416
