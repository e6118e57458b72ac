"""Banks, exchanges and type overrides that were moved here, each known by its key there.

As with content, what has not changed there since it was last written here is left alone here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, Literal, TypeVar
from uuid import uuid4

from sqlalchemy import delete, literal, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog import override as ratios
from core.catalog.marks import mark, mark_all
from core.catalog.models import (
    BankRow,
    ContentRow,
    ExchangeRow,
    ExchangeStateRow,
    MovedRow,
    SignalRow,
    SignalTypeOverrideRow,
)
from core.errors import Forbidden
from core.index.entry import BANKS

R = TypeVar("R", BankRow, ExchangeRow)

Verdict = Literal["same", "written", "changed here"]
"""What became of a thing: nothing had to, it was written, or it differs and was left alone."""


@dataclass(frozen=True)
class MovedBank:
    """A bank as it is elsewhere, `key` being its id there."""

    key: str
    name: str
    enabled_ratio: float


@dataclass(frozen=True)
class MovedExchange:
    """An exchange as it is elsewhere, `key` being its id there, `bank_id` that of its bank here."""

    key: str
    name: str
    api: str
    config: dict[str, Any] = field(hash=False)
    enabled: bool
    bank_id: int


@dataclass(frozen=True)
class MovedOverride:
    """The ratio of a signal type elsewhere, `key` being the type's name."""

    key: str
    enabled_ratio: float


Moved = MovedBank | MovedExchange | MovedOverride


def make_way(session: Session, banks: Sequence[MovedBank], *, overwrite: bool) -> None:
    """Give names of their own to banks about to be renamed, so that two may swap theirs.

    A bank whose new name a bank made here has keeps its own: `keep_bank` will refuse it.
    """
    known = _known(session, "bank")
    moved = {one.local_id for one in known.values()}
    own = {row.name for row in session.exec(select(BankRow)) if row.id not in moved}
    for bank in banks:
        row = _here(session, BankRow, known.get(bank.key))
        left_alone = _unchanged(known.get(bank.key), bank) and not overwrite
        if row is not None and row.name != bank.name and not left_alone and bank.name not in own:
            row.name = f"_MOVING_{uuid4().hex}"
    session.flush()


def keep_bank(session: Session, bank: MovedBank, *, overwrite: bool) -> tuple[int, Verdict]:
    """Make or change a bank as it is there; one made here of its name becomes this one.

    Raises:
        Forbidden: it was deleted here, or renamed there to the name of another bank here.
    """
    known = session.get(MovedRow, ("bank", bank.key))
    row = _here(session, BankRow, known)
    left_alone = _unchanged(known, bank) and not overwrite
    named = session.exec(select(BankRow).where(BankRow.name == bank.name)).one_or_none()
    if row is None:
        if left_alone:
            raise Forbidden("was deleted here, with its content, and not there")
        row = named or BankRow(name="", enabled_ratio=0.0)
    same = (row.name, row.enabled_ratio) == (bank.name, bank.enabled_ratio)
    if left_alone or (same and _unchanged(known, bank)):
        return _id(row), "same" if same else "changed here"
    if named not in (None, row):
        raise Forbidden(f"was renamed from {row.name}, and another bank here has the name")
    row.name, row.enabled_ratio = bank.name, bank.enabled_ratio
    session.add(row)
    session.flush()
    _note(session, "bank", bank, _id(row))
    types = select_columns(col(SignalRow.signal_type), literal(BANKS))
    within = types.join(ContentRow, col(ContentRow.id) == SignalRow.content_id)
    mark(session, within.where(col(ContentRow.bank_id) == row.id))
    return _id(row), "written"


def keep_exchange(
    session: Session, exchange: MovedExchange, *, overwrite: bool
) -> tuple[int, Verdict]:
    """Make or change an exchange as it is there. When it asks for another list, it begins anew.

    Raises:
        Forbidden: it was deleted here, or another exchange here has its name or feeds its bank.
    """
    known = session.get(MovedRow, ("exchange", exchange.key))
    row = _here(session, ExchangeRow, known)
    left_alone = _unchanged(known, exchange) and not overwrite
    if row is None and left_alone:
        raise Forbidden("was deleted here, and not there")
    wanted = asdict(exchange)
    del wanted["key"]
    same = row is not None and row.model_dump(include=set(wanted)) == wanted
    if row is not None and (left_alone or (same and _unchanged(known, exchange))):
        return _id(row), "same" if same else "changed here"
    clash = or_(
        col(ExchangeRow.name) == exchange.name, col(ExchangeRow.bank_id) == exchange.bank_id
    )
    for other in session.exec(select(ExchangeRow).where(clash)):
        if row is None or other.id != row.id:
            raise Forbidden(f"the exchange {other.name} here has its name or feeds its bank")
    asked = None if row is None else (row.api, row.config)
    row = row or ExchangeRow(**wanted)
    row.sqlmodel_update(wanted)
    session.add(row)
    session.flush()
    if asked != (row.api, row.config):  # how far another list was fetched says nothing of this one
        gone = delete(ExchangeStateRow).where(col(ExchangeStateRow.exchange_id) == row.id)
        session.connection().execute(gone)
        session.add(ExchangeStateRow(exchange_id=_id(row)))
    _note(session, "exchange", exchange, _id(row))
    return _id(row), "written"


def keep_override(session: Session, override: MovedOverride, *, overwrite: bool) -> Verdict:
    """Give a signal type the ratio that it has there."""
    known = session.get(MovedRow, ("signal_type", override.key))
    row = session.get(SignalTypeOverrideRow, override.key)
    same = row is not None and row.enabled_ratio == override.enabled_ratio
    if _unchanged(known, override) and (same or not overwrite):
        return "same" if same else "changed here"
    ratios.put(session, override.key, override.enabled_ratio)
    _note(session, "signal_type", override, 0)
    return "written"


def drop_exchange(session: Session, key: str) -> None:
    """Delete an exchange that is gone there, with its records; its bank stays."""
    row = _here(session, ExchangeRow, session.get(MovedRow, ("exchange", key)))
    if row is not None:
        session.connection().execute(delete(ExchangeRow).where(col(ExchangeRow.id) == row.id))
    _forget(session, "exchange", key)


def drop_bank(session: Session, key: str) -> None:
    """Delete a bank that is gone there.

    Raises:
        Forbidden: it holds content made here, or an exchange feeds it.
    """
    row = _here(session, BankRow, session.get(MovedRow, ("bank", key)))
    if row is not None:
        held = session.exec(select(ContentRow.id).where(ContentRow.bank_id == row.id).limit(1))
        if held.first() is not None:
            raise Forbidden(f"bank {row.name} is gone there, but holds content made here")
        fed = session.exec(select(ExchangeRow).where(ExchangeRow.bank_id == row.id)).first()
        if fed is not None:
            raise Forbidden(f"bank {row.name} is gone there, but {fed.name} feeds it here")
        session.connection().execute(delete(BankRow).where(col(BankRow.id) == row.id))
    _forget(session, "bank", key)


def drop_override(session: Session, key: str) -> None:
    """Forget the ratio of a signal type that has none there any more."""
    gone = delete(SignalTypeOverrideRow).where(col(SignalTypeOverrideRow.name) == key)
    session.connection().execute(gone)
    mark_all(session, [(key, BANKS)])
    _forget(session, "signal_type", key)


def keys(session: Session, noun: str) -> set[str]:
    """The keys of all `bank`, `exchange` or `signal_type` that were moved."""
    return set(_known(session, noun))


def _known(session: Session, noun: str) -> dict[str, MovedRow]:
    return {row.key: row for row in session.exec(select(MovedRow).where(MovedRow.noun == noun))}


def _here(session: Session, table: type[R], known: MovedRow | None) -> R | None:
    """What was moved, unless it has been deleted here since."""
    return session.get(table, known.local_id, with_for_update=True) if known else None


def _unchanged(known: MovedRow | None, there: Moved) -> bool:
    return known is not None and known.digest == _digest(there)


def _note(session: Session, noun: str, there: Moved, local_id: int) -> None:
    session.merge(MovedRow(noun=noun, key=there.key, local_id=local_id, digest=_digest(there)))


def _forget(session: Session, noun: str, key: str) -> None:
    gone = (col(MovedRow.noun) == noun) & (col(MovedRow.key) == key)
    session.connection().execute(delete(MovedRow).where(gone))


def _digest(there: Moved) -> str:
    return blake2b(json.dumps(asdict(there), sort_keys=True).encode(), digest_size=16).hexdigest()


def _id(row: BankRow | ExchangeRow) -> int:
    assert row.id is not None
    return row.id
