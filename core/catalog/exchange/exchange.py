"""Exchanges: lists that others keep, each of which feeds a bank of its own."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.catalog import bank
from core.catalog.models import (
    NAME_LENGTH,
    BankRow,
    ExchangeRecordRow,
    ExchangeRow,
    ExchangeStateRow,
)
from core.catalog.text import storable
from core.errors import BadInput, Forbidden, NotFound


@dataclass(frozen=True)
class Exchange:
    """A list that others keep.

    Attributes:
        id: never given to another exchange.
        name: unique; the bank had the same one when both were made.
        api: the name of the API that it is fetched by.
        config: what that API asks for, as JSON, without `name`, `api` and `enabled`.
        enabled: whether it is fetched.
        bank_id: the bank that it feeds, and nobody else's.
        report_opinions: whether the exchange is told what we find of its records.
    """

    id: int
    name: str
    api: str
    config: dict[str, Any]
    enabled: bool
    bank_id: int
    report_opinions: bool


def every(session: Session) -> list[Exchange]:
    """All exchanges, by id."""
    return [_of(row) for row in session.exec(select(ExchangeRow).order_by(col(ExchangeRow.id)))]


def find(session: Session, name: str) -> Exchange:
    """The exchange of this name.

    Raises:
        NotFound: there surely is none.
    """
    return _of(_row(session, name))


def create(
    session: Session, name: str, api: str, config: dict[str, Any], enabled: bool
) -> Exchange:
    """A new exchange, and the bank of the same name that it feeds.

    Raises:
        BadInput: the name.
        Forbidden: an exchange or a bank has it.
    """
    check_name(name)
    if session.exec(select(ExchangeRow.id).where(ExchangeRow.name == name)).first() is not None:
        raise Forbidden("Exchange already exists")
    feeds = BankRow(name=name, enabled_ratio=1.0)  # whose name may begin with a digit, as in HMA
    session.add(feeds)
    try:
        session.flush()
    except IntegrityError as error:
        raise Forbidden("Bank already exists") from error
    assert feeds.id is not None
    row = ExchangeRow(name=name, api=api, config=config, enabled=enabled, bank_id=feeds.id)
    session.add(row)
    session.flush()
    assert row.id is not None
    session.add(ExchangeStateRow(exchange_id=row.id))
    session.flush()
    return _of(row)


def check_name(name: object) -> None:
    """Raises BadInput if no exchange may have this name."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Z0-9_]+", name):
        raise BadInput("Field `bank` must match /^[A-Z0-9_]+$/")
    if len(name) > NAME_LENGTH:
        raise BadInput(f"Field `bank` must be at most {NAME_LENGTH} characters")


def update(
    session: Session, name: str, enabled: bool | None, report_opinions: bool | None
) -> Exchange:
    """The exchange with what is not None changed.

    Raises:
        NotFound: there is none.
    """
    row = _row(session, name, lock=True)
    if enabled is not None:
        row.enabled = enabled
    if report_opinions is not None:
        row.report_opinions = report_opinions
    session.flush()
    return _of(row)


def remove(session: Session, name: str) -> None:
    """Delete the exchange, if there is one, all it has fetched, and its bank."""
    try:
        row = _row(session, name, lock=True)
    except NotFound:
        return
    feeds = session.get_one(BankRow, row.bank_id).name
    connection = session.connection()
    # Fetches first change their state, then the bank: keep that order of locks. And not by the
    # cascade, which would first set the content of each of a million records to null.
    connection.execute(delete(ExchangeStateRow).where(col(ExchangeStateRow.exchange_id) == row.id))
    connection.execute(
        delete(ExchangeRecordRow).where(col(ExchangeRecordRow.exchange_id) == row.id)
    )
    session.delete(row)
    session.flush()
    bank.remove(session, feeds)


def _row(session: Session, name: str, *, lock: bool = False) -> ExchangeRow:
    row = None
    if storable(name):
        query = select(ExchangeRow).where(ExchangeRow.name == name)
        row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"Exchange '{name}' not found")
    return row


def _of(row: ExchangeRow) -> Exchange:
    assert row.id is not None
    return Exchange(
        row.id, row.name, row.api, row.config, row.enabled, row.bank_id, row.report_opinions
    )
