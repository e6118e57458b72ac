"""How much content a bank has."""

from dataclasses import dataclass

from sqlalchemy import distinct, func, select
from sqlmodel import Session, col

from core.catalog.models import ContentRow, SignalRow
from core.index.entry import ENABLED


@dataclass(frozen=True)
class BankCounts:
    """How many contents a bank has.

    Attributes:
        contents: in all.
        not_enabled: of them, those that are disabled, for good or until a time.
        by_type: contents that have signals of each type.
        crops: signals of crops, which are not counted otherwise.
    """

    contents: int
    not_enabled: int
    by_type: dict[str, int]
    crops: int = 0


def read_counts(session: Session, bank_id: int) -> BankCounts:
    """How many contents the bank of this id has, in one state of the catalog."""
    in_bank = col(ContentRow.bank_id) == bank_id
    connection = session.connection()
    contents = connection.execute(select(func.count()).where(in_bank)).scalar_one()
    not_enabled = connection.execute(
        select(func.count()).where(in_bank, col(ContentRow.disable_until_ts) != ENABLED)
    ).scalar_one()
    by_type = connection.execute(
        select(col(SignalRow.signal_type), func.count(distinct(col(SignalRow.content_id))))
        .join(ContentRow, col(ContentRow.id) == col(SignalRow.content_id))
        .where(in_bank, ~col(SignalRow.crop))
        .group_by(col(SignalRow.signal_type))
    )
    crops = connection.execute(
        select(func.count())
        .select_from(SignalRow)
        .join(ContentRow, col(ContentRow.id) == col(SignalRow.content_id))
        .where(in_bank, col(SignalRow.crop))
    ).scalar_one()
    return BankCounts(contents, not_enabled, {row[0]: row[1] for row in by_type}, crops)
