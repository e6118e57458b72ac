"""Exchanges: lists that others keep, each of which feeds a bank of its own."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.catalog.bank import delete_bank
from core.catalog.database import Database
from core.catalog.models import (
    NAME_LENGTH,
    BankRow,
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


class Exchanges:
    """All exchanges of one catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> list[Exchange]:
        """All exchanges, by id."""
        with self._database.reading() as session:
            rows = session.exec(select(ExchangeRow).order_by(col(ExchangeRow.id)))
            return [_exchange_of(row) for row in rows]

    def get(self, name: str) -> Exchange:
        """The exchange of this name. Raises NotFound: there surely is none."""
        with self._database.reading() as session:
            return _exchange_of(_row(session, name))

    def create(self, name: str, api: str, config: dict[str, Any], enabled: bool = True) -> Exchange:
        """A new exchange, and the bank of the same name that it feeds.

        Raises:
            BadInput: the name.
            Forbidden: an exchange or a bank has it.
        """
        check_name(name)
        with self._database.writing() as session:
            same_name = select(ExchangeRow.id).where(ExchangeRow.name == name)
            if session.exec(same_name).first() is not None:
                raise Forbidden("Exchange already exists")
            # Its name may begin with a digit, as in HMA.
            bank = BankRow(name=name, enabled_ratio=1.0)
            session.add(bank)
            try:
                session.flush()
            except IntegrityError as error:
                raise Forbidden("Bank already exists") from error
            assert bank.id is not None
            row = ExchangeRow(name=name, api=api, config=config, enabled=enabled, bank_id=bank.id)
            session.add(row)
            session.flush()
            assert row.id is not None
            session.add(ExchangeStateRow(exchange_id=row.id))
            session.flush()
            return _exchange_of(row)

    def update(
        self, name: str, enabled: bool | None = None, report_opinions: bool | None = None
    ) -> Exchange:
        """The exchange with what is not None changed. Raises NotFound."""
        with self._database.writing() as session:
            row = _row(session, name, lock=True)
            if enabled is not None:
                row.enabled = enabled
            if report_opinions is not None:
                row.report_opinions = report_opinions
            session.flush()
            return _exchange_of(row)

    def delete(self, name: str) -> None:
        """Delete the exchange, if there is one, all it has fetched, and its bank."""
        with self._database.writing() as session:
            try:
                row = _row(session, name)
            except NotFound:
                return
            delete_bank(session, col(BankRow.id) == row.bank_id)


def check_name(name: object) -> None:
    """Raises BadInput if no exchange may have this name."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Z0-9_]+", name):
        raise BadInput("Field `bank` must match /^[A-Z0-9_]+$/")
    if len(name) > NAME_LENGTH:
        raise BadInput(f"Field `bank` must be at most {NAME_LENGTH} characters")


def _row(session: Session, name: str, *, lock: bool = False) -> ExchangeRow:
    row = None
    if storable(name):
        query = select(ExchangeRow).where(ExchangeRow.name == name)
        row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"Exchange '{name}' not found")
    return row


def _exchange_of(row: ExchangeRow) -> Exchange:
    assert row.id is not None
    return Exchange(
        row.id, row.name, row.api, row.config, row.enabled, row.bank_id, row.report_opinions
    )
