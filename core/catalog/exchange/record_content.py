"""The content that records of exchanges become. Written in bulk, never row by row.

A record that has signals is a content of its own, as in HMA: two records with the same signal are
two contents, and when one is withdrawn the other goes on matching. The content keeps its id, its
note and its being disabled when the record changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session, col

from core.catalog.exchange.fetched_record import Signals
from core.catalog.models import ContentRow, SignalRow
from core.index.entry import ENABLED

Marked = set[tuple[str, int]]
"""(signal type, content id) of what an index must learn."""


def read_signals(session: Session, content_ids: Sequence[int]) -> dict[int, Signals]:
    """The signals of those of `content_ids` that exist."""
    rows = session.connection().execute(
        select(col(ContentRow.id), col(SignalRow.signal_type), col(SignalRow.value))
        .outerjoin(SignalRow, col(SignalRow.content_id) == ContentRow.id)
        .where(col(ContentRow.id).in_(content_ids))
    )
    signals: dict[int, list[tuple[str, str]]] = {}
    for content_id, name, value in rows:
        assert content_id is not None
        signals.setdefault(content_id, []).extend([(name, value)] if name is not None else [])
    return {content_id: tuple(sorted(pairs)) for content_id, pairs in signals.items()}


def lock_contents(session: Session, ids: Sequence[int]) -> set[int]:
    """Hold those of `ids` that still exist, in the order of locks; which ones."""
    query = select(col(ContentRow.id)).where(col(ContentRow.id).in_(ids))
    held = session.connection().scalars(query.order_by(col(ContentRow.id)).with_for_update())
    return {content_id for content_id in held if content_id is not None}


def insert_contents(session: Session, bank_id: int, number: int) -> list[int]:
    """New, enabled contents without signals yet; their ids."""
    if not number:
        return []
    row = {"bank_id": bank_id, "disable_until_ts": ENABLED}
    insertion = insert(ContentRow).returning(col(ContentRow.id))
    ids = session.connection().scalars(insertion, [row] * number)
    return [content_id for content_id in ids if content_id is not None]


def write_signals(session: Session, contents: Mapping[int, Signals]) -> Marked:
    """Give contents that have no signals these; what must be marked for it."""
    rows = [
        row for content_id, signals in contents.items() for row in _signal_rows(content_id, signals)
    ]
    if rows:
        session.connection().execute(insert(SignalRow), rows)
    return marked_by(contents)


def replace_signals(
    session: Session, contents: Mapping[int, Signals], former: Mapping[int, Signals]
) -> Marked:
    """Give contents that have the signals `former` these instead; what must be marked for it."""
    session.connection().execute(
        delete(SignalRow).where(col(SignalRow.content_id).in_(list(former)))
    )
    return write_signals(session, contents) | marked_by(former)


def delete_contents(session: Session, contents: Mapping[int, Signals]) -> Marked:
    """Delete contents that have these signals; what must be marked for it."""
    ids = sorted(contents)
    lock_contents(session, ids)
    connection = session.connection()
    connection.execute(delete(SignalRow).where(col(SignalRow.content_id).in_(ids)))
    connection.execute(delete(ContentRow).where(col(ContentRow.id).in_(ids)))
    return marked_by(contents)


def marked_by(contents: Mapping[int, Signals]) -> Marked:
    """What must be marked when contents with these signals change."""
    return {(name, content_id) for content_id, signals in contents.items() for name, _ in signals}


def _signal_rows(content_id: int, signals: Signals) -> Iterator[dict[str, Any]]:
    ordinals: dict[str, int] = {}
    for name, value in signals:
        ordinal = ordinals[name] = ordinals.get(name, -1) + 1
        yield {
            "content_id": content_id,
            "signal_type": name,
            "ordinal": ordinal,
            "value": value,
        }
