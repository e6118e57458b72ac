"""What goes when an exchange goes: all of it; its bank after it, in the same transaction."""

from sqlalchemy import ColumnElement, delete
from sqlmodel import Session, col, select

from core.catalog.models import BankRow, ExchangeRecordRow, ExchangeRow, ExchangeStateRow


def delete_feeder(session: Session, bank: ColumnElement[bool]) -> None:
    """Delete the exchange that feeds this bank, if one does, and all that it has fetched."""
    feeding = (
        select(ExchangeRow)
        .join(BankRow, col(BankRow.id) == ExchangeRow.bank_id)
        .where(bank)
        .with_for_update(of=ExchangeRow)
    )
    exchange = session.exec(feeding).one_or_none()
    if exchange is None:
        return
    # Fetches first change their state, then the bank: keep that order of locks. And not by the
    # cascade, which would first set the content of each of a million records to null.
    for table in ExchangeStateRow, ExchangeRecordRow:
        session.connection().execute(delete(table).where(col(table.exchange_id) == exchange.id))
    session.delete(exchange)
    session.flush()
