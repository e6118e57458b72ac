"""What we found of an exchange's records, and whether the exchange has been told."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.content.content import find_content
from core.catalog.database import Database
from core.catalog.exchange.exchange import Exchange
from core.catalog.models import ExchangeRecordRow, ExchangeRow, OpinionRow
from core.errors import BadInput

OPINIONS = ("true_positive", "false_positive")

OpinionState = Literal["recorded", "queued", "replaced", "sent", "unsupported", "failed"]
"""Recorded: the exchange is not told. Replaced: by a later one, before the exchange was told."""


@dataclass(frozen=True)
class Opinion:
    """What we found of one content that came from an exchange.

    Attributes:
        record_key: the exchange's own name for it.
        record: what the exchange last said of it, None when it has gone.
        opinion: true_positive or false_positive.
        attempts: how often the exchange has been told in vain.
        next_try_ts: Unix time before which it is not told again.
        error: why the last attempt failed.
    """

    id: int
    content_id: int
    exchange_id: int
    record_key: str
    record: Any
    opinion: str
    state: str
    attempts: int
    next_try_ts: int
    error: str | None


class Opinions:
    """All opinions of one catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, bank_name: str, content_id: int, opinion: str) -> Opinion:
        """Record an opinion on content, queued if its exchange is told of opinions.

        Raises:
            NotFound: no such bank, or no such content in it.
            BadInput: no such opinion, or the content came from no exchange.
        """
        with self._database.writing() as session:
            find_content(session, bank_name, content_id)
            if opinion not in OPINIONS:
                raise BadInput(f"opinion must be one of {', '.join(OPINIONS)}")
            source = session.exec(
                select(ExchangeRecordRow, ExchangeRow)
                .join(ExchangeRow, col(ExchangeRow.id) == ExchangeRecordRow.exchange_id)
                .where(ExchangeRecordRow.content_id == content_id)
            ).one_or_none()
            if source is None:
                raise BadInput(f"content '{content_id}' came from no exchange")
            record, exchange = source
            session.connection().execute(
                update(OpinionRow)
                .where(col(OpinionRow.content_id) == content_id, col(OpinionRow.state) == "queued")
                .values(state="replaced")
            )
            assert exchange.id is not None
            row = OpinionRow(
                content_id=content_id,
                exchange_id=exchange.id,
                record_key=record.key,
                opinion=opinion,
                state="queued" if exchange.report_opinions else "recorded",
            )
            session.add(row)
            session.flush()
            return _opinion_of(row, record.record)

    def on_content(self, bank_name: str, content_id: int) -> list[Opinion]:
        """The opinions on a content, oldest first.

        Raises:
            NotFound: no such bank, or no such content in it.
        """
        with self._database.reading() as session:
            find_content(session, bank_name, content_id)
            return _read(session, OpinionRow.content_id == content_id, limit=1000)

    def due(self, exchange: Exchange, limit: int) -> list[Opinion]:
        """Up to `limit` opinions that the exchange should be told of by now, oldest first."""
        with self._database.reading() as session:
            return _read(
                session,
                OpinionRow.exchange_id == exchange.id,
                OpinionRow.state == "queued",
                OpinionRow.next_try_ts <= int(time.time()),
                limit=limit,
            )

    def settle(
        self, opinion: Opinion, state: OpinionState, next_try_ts: int = 0, error: str | None = None
    ) -> None:
        """Say what became of telling it, unless a later opinion has replaced it meanwhile."""
        attempts = opinion.attempts + (error is not None)
        with self._database.writing() as session:
            session.connection().execute(
                update(OpinionRow)
                .where(col(OpinionRow.id) == opinion.id, col(OpinionRow.state) == "queued")
                .values(state=state, attempts=attempts, next_try_ts=next_try_ts, error=error)
            )

    def count(self, exchange: Exchange) -> dict[str, int]:
        """How many opinions on records of an exchange are in each state."""
        by_state = (
            select_columns(col(OpinionRow.state), func.count())
            .where(col(OpinionRow.exchange_id) == exchange.id)
            .group_by(col(OpinionRow.state))
        )
        with self._database.reading() as session:
            rows = session.connection().execute(by_state)
            return {state: n for state, n in rows}  # noqa: C416  # rows, not pairs


def _read(session: Session, *where: Any, limit: int) -> list[Opinion]:
    rows: Sequence[tuple[OpinionRow, Any]] = session.exec(
        select(OpinionRow, ExchangeRecordRow.record)
        .outerjoin(
            ExchangeRecordRow,
            (col(ExchangeRecordRow.exchange_id) == OpinionRow.exchange_id)
            & (col(ExchangeRecordRow.key) == OpinionRow.record_key),
        )
        .where(*where)
        .order_by(col(OpinionRow.id))
        .limit(limit)
    ).all()
    return [_opinion_of(row, record) for row, record in rows]


def _opinion_of(row: OpinionRow, record: Any) -> Opinion:
    assert row.id is not None
    return Opinion(
        row.id,
        row.content_id,
        row.exchange_id,
        row.record_key,
        record,
        row.opinion,
        row.state,
        row.attempts,
        row.next_try_ts,
        row.error,
    )
