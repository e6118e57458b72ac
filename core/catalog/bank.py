"""Banks: named lists of content. What is allowed of one, and how it is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, literal
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.catalog.bank_counts import BankCounts, read_counts
from core.catalog.database import Database
from core.catalog.exchange.deletion import delete_feeder
from core.catalog.marks import mark
from core.catalog.models import NAME_LENGTH, BankRow, ContentRow, SignalRow
from core.catalog.signal_type import read_switched_off
from core.catalog.text import storable
from core.errors import BadInput, Forbidden, NotFound
from core.index.entry import BANKS, IndexedBank


@dataclass(frozen=True)
class Bank:
    """A named list of content.

    Attributes:
        id: never given to another bank.
        name: unique; clients address a bank by it.
        enabled_ratio: the share of lookups that it takes part in, 0 to 1.
        allow_list: what matches here is known to be harmless: no other bank's match counts then.
        thresholds: by signal type the largest distance that matches, where it is not the type's.
        crops: whether the crops that people make of a picture are kept as signals of it too.
    """

    id: int
    name: str
    enabled_ratio: float
    allow_list: bool = False
    thresholds: Mapping[str, int] = field(default_factory=dict, hash=False)
    crops: bool = False


@dataclass(frozen=True)
class BankingTerms:
    """What must be known before content of a bank can be made, as it was in one state.

    Attributes:
        switched_off: signal types that are neither hashed nor banked now.
    """

    bank: Bank
    switched_off: frozenset[str]


class Banks:
    """All banks of one catalog. A bank leaves marks only with its content: an index knows it so."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> list[Bank]:
        """All banks, by id."""
        with self._database.reading() as session:
            rows = session.exec(select(BankRow).order_by(col(BankRow.id)))
            return [bank_of(row) for row in rows]

    def indexed(self) -> list[IndexedBank]:
        """All banks as answers name them, by id.

        By columns and not by rows, which takes a seventh of the time: every publication asks.
        """
        columns = (
            col(BankRow.id),
            col(BankRow.name),
            col(BankRow.enabled_ratio),
            col(BankRow.allow_list),
            col(BankRow.thresholds),
        )
        with self._database.reading() as session:
            rows = session.execute(select_columns(*columns).order_by(col(BankRow.id)))
            return [
                IndexedBank(id_, name, ratio, allow_list, thresholds or {})
                for id_, name, ratio, allow_list, thresholds in rows
            ]

    def get(self, name: str) -> Bank:
        """The bank of this name. Raises NotFound: there surely is none."""
        with self._database.reading() as session:
            return find_bank(session, name)

    def terms(self, name: str) -> BankingTerms:
        """The bank of this name, and what it can be given. Raises NotFound."""
        with self._database.reading() as session:
            return BankingTerms(find_bank(session, name), read_switched_off(session))

    def count_contents(self, name: str) -> BankCounts:
        """How many contents a bank has. Reads all of its index entries. Raises NotFound."""
        with self._database.reading() as session:
            return read_counts(session, find_bank(session, name).id)

    def create(
        self,
        name: str,
        enabled_ratio: float = 1.0,
        *,
        allow_list: bool = False,
        thresholds: Mapping[str, int] | None = None,
        crops: bool = False,
    ) -> Bank:
        """A new, empty bank.

        Args:
            thresholds: checked already.

        Raises:
            BadInput: the name or the ratio.
            Forbidden: the name is taken.
        """
        row = BankRow(
            name=_checked_name(name),
            enabled_ratio=_checked_ratio(enabled_ratio),
            allow_list=allow_list,
            thresholds=dict(thresholds) if thresholds else None,
            crops=crops,
        )
        with self._database.writing() as session:
            session.add(row)
            try:
                session.flush()
            except IntegrityError as error:
                raise Forbidden("Bank already exists") from error
            return bank_of(row)

    def update(
        self,
        name: str,
        new_name: str | None = None,
        enabled_ratio: float | None = None,
        *,
        allow_list: bool | None = None,
        thresholds: Mapping[str, int] | None = None,
        crops: bool | None = None,
    ) -> Bank:
        """The bank with what is given changed; None leaves a thing as it is.

        Args:
            thresholds: all of them, checked already.

        Raises:
            NotFound: no such bank.
            BadInput: the new name or the ratio.
            Forbidden: the new name is taken.
        """
        with self._database.writing() as session:
            row = _row(session, name, lock="alone")
            if row is None:
                raise NotFound("Bank not found")
            if new_name is not None:
                row.name = _checked_name(new_name)
            if enabled_ratio is not None:
                row.enabled_ratio = _checked_ratio(enabled_ratio)
            if allow_list is not None:
                row.allow_list = allow_list
            if crops is not None:
                row.crops = crops
            if thresholds is not None:
                row.thresholds = dict(thresholds) or None
            try:
                session.flush()
            except IntegrityError as error:
                raise Forbidden("Bank name already exists") from error
            bank = bank_of(row)
            mark(session, _signals_of(bank.id, literal(BANKS)))
            return bank

    def delete(self, name: str) -> None:
        """Delete the bank, if there is one, and all its content, leaving a mark for each.

        An exchange that feeds it goes too: it would only fail from then on, and keep its name.
        """
        if not storable(name):
            return
        with self._database.writing() as session:
            delete_bank(session, col(BankRow.name) == name)


def find_bank(session: Session, name: str) -> Bank:
    """The bank of this name. Raises NotFound: there surely is none."""
    row = _row(session, name, lock=None)
    if row is None:
        raise NotFound(f"bank '{name}' not found")
    return bank_of(row)


def hold_bank(session: Session, name: str) -> Bank:
    """The bank of this name, which stays as it is until this transaction ends. Raises NotFound.

    Whoever changes content takes this first. Or else content could come to a bank while it is
    being renamed or deleted: each would miss the other, and a mark would be missing.
    """
    row = _row(session, name, lock="shared")
    if row is None:
        raise NotFound(f"bank '{name}' not found")
    return bank_of(row)


def delete_bank(session: Session, bank: ColumnElement[bool]) -> None:
    """As `Banks.delete`, in a transaction that may do more than that."""
    delete_feeder(session, bank)
    row = session.exec(select(BankRow).where(bank).with_for_update()).one_or_none()
    if row is None:
        return
    bank_id = bank_of(row).id
    mark(session, _signals_of(bank_id, SignalRow.content_id))
    content = select_columns(col(ContentRow.id)).where(col(ContentRow.bank_id) == bank_id)
    session.connection().execute(delete(SignalRow).where(col(SignalRow.content_id).in_(content)))
    session.connection().execute(delete(ContentRow).where(col(ContentRow.bank_id) == bank_id))
    session.delete(row)


def bank_of(row: BankRow) -> Bank:
    """The value of a stored row."""
    assert row.id is not None
    return Bank(
        row.id, row.name, row.enabled_ratio, row.allow_list, row.thresholds or {}, row.crops
    )


def _row(session: Session, name: str, lock: str | None) -> BankRow | None:
    if not storable(name):
        return None  # which PostgreSQL could not even be asked
    query = select(BankRow).where(BankRow.name == name)
    if lock is not None:
        query = query.with_for_update(read=lock == "shared")
    return session.exec(query).one_or_none()


def _signals_of(bank_id: int, marked: Any) -> Select[*tuple[Any, ...]]:
    """(signal type, `marked`) of every signal in the bank."""
    return (
        select_columns(col(SignalRow.signal_type), marked)
        .join(ContentRow, col(ContentRow.id) == SignalRow.content_id)
        .where(col(ContentRow.bank_id) == bank_id)
    )


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise BadInput("Bank names must be UPPER_WITH_UNDERSCORE")
    if len(name) > NAME_LENGTH:
        raise BadInput(f"Bank names must be at most {NAME_LENGTH} characters")
    return name


def _checked_ratio(ratio: float) -> float:
    # Written so that NaN, which compares with nothing, fails.
    if not 0 <= ratio <= 1:
        raise BadInput("enabled_ratio must be between 0 and 1")
    return float(ratio)
