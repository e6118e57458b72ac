"""How far an exchange has been fetched, and whose fetch may go on.

The checkpoint moves in the transaction that stores what lies before it. Each such transaction
first proves that its fetch still holds the exchange: one that slept while another took over
(a frozen function, a stopped process) changes nothing any more.

**Order of locks** (PostgreSQL): the state of the exchange, its lease, then as in `marks`.
"""

import time
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.catalog.database import Database
from core.catalog.exchange.exchange import Exchange
from core.catalog.lease import take_lease
from core.catalog.models import ExchangeStateRow
from core.errors import NotFound, Superseded


@dataclass(frozen=True)
class Progress:
    """How far an exchange has been fetched.

    Attributes:
        checkpoint: the API's own, as JSON; None at the start of the list.
        checkpoint_ts: the time it stands for, if the API says.
        running_fetch_start_ts: when the fetch began that has not ended.
        last_fetch_complete_ts: when the last one ended.
        last_fetch_succeeded: whether that went well; None before the first.
        up_to_date: whether it reached the end of the list.
        error: why it failed.
        round: how often the list was begun at its start.
        sweeping: whether what this round has not seen must go when it ends.
        signal_types: those the checkpoint speaks for.
        failures: in a row.
        next_try_ts: no scheduled fetch before.
    """

    checkpoint: dict[str, Any] | None = None
    checkpoint_ts: int | None = None
    running_fetch_start_ts: int | None = None
    last_fetch_complete_ts: int | None = None
    last_fetch_succeeded: bool | None = None
    up_to_date: bool = False
    error: str | None = None
    round: int = 0
    sweeping: bool = False
    signal_types: list[str] | None = None
    failures: int = 0
    next_try_ts: int = 0


class FetchProgress:
    """How far each exchange has been fetched. It moves on with its records: `Records.store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, exchange: Exchange) -> Progress:
        """How far the exchange has been fetched. Raises NotFound: it has been deleted."""
        with self._database.reading() as session:
            return _progress_of(_row(session, exchange.id, lock=False))

    def begin(self, exchange: Exchange, holder: str, seconds: float) -> Progress | None:
        """Take the exchange for `seconds`, to fetch it; None while another fetch has it.

        Raises:
            NotFound: it has been deleted.
        """
        with self._database.writing() as session:
            row = _row(session, exchange.id, lock=True)
            if not take_lease(session, _lease(exchange.id), holder, seconds):
                return None
            row.holder = holder
            row.running_fetch_start_ts = int(time.time())
            session.flush()
            return _progress_of(row)


def advance_progress(
    session: Session, exchange_id: int, holder: str, seconds: float, changes: dict[str, Any]
) -> None:
    """Change the state and keep the exchange for `seconds` more; 0 gives it back.

    Raises:
        Superseded: another fetch has it now, or it has been deleted.
    """
    mine = (ExchangeStateRow.exchange_id == exchange_id, ExchangeStateRow.holder == holder)
    if seconds == 0:
        changes = {**changes, "holder": None}
    changed = session.connection().execute(
        update(ExchangeStateRow).where(*mine).values(**{"holder": holder, **changes})  # type: ignore[arg-type]
    )
    if not (changed.rowcount and take_lease(session, _lease(exchange_id), holder, seconds)):
        raise Superseded("another fetch took this exchange over, or it has been deleted")


def _lease(exchange_id: int) -> str:
    return f"fetch/{exchange_id}"


def _row(session: Session, exchange_id: int, *, lock: bool) -> ExchangeStateRow:
    query = select(ExchangeStateRow).where(col(ExchangeStateRow.exchange_id) == exchange_id)
    row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("the exchange has been deleted")
    return row


def _progress_of(row: ExchangeStateRow) -> Progress:
    return Progress(**{field.name: getattr(row, field.name) for field in fields(Progress)})
