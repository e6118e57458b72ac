"""Content in bulk as rows, in transactions of `TransferredContents`."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, delete, insert, tuple_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col

from core.catalog.database import upsert
from core.catalog.marks import mark
from core.catalog.models import (
    BankRow,
    ContentRow,
    ExchangeRecordRow,
    LabelRow,
    SignalRow,
    TransferredContentRow,
)
from core.catalog.transfer.content_state import ContentState
from core.errors import Unavailable


def hold_banks(session: Session, bank_ids: Collection[int]) -> None:
    """Banks come before content in the order of locks, and stay until all of it is written."""
    query = select_columns(col(BankRow.id)).where(col(BankRow.id).in_(sorted(bank_ids)))
    held = session.connection().execute(query.order_by(col(BankRow.id)).with_for_update(read=True))
    if len(held.all()) < len(bank_ids):
        raise Unavailable("a bank was deleted here meanwhile: run this again")


def read_superseded(session: Session, states: Sequence[ContentState]) -> set[int]:
    """Content made here of records that now become content with another id.

    Content that was transferred stays: there, two may have come of one record.
    """
    becomes = {state.record: state.id for state in states if state.record is not None}
    key = tuple_(col(ExchangeRecordRow.exchange_id), col(ExchangeRecordRow.key))
    rows: Any = session.connection().execute(
        select_columns(
            col(ExchangeRecordRow.exchange_id),
            col(ExchangeRecordRow.key),
            col(ExchangeRecordRow.content_id),
        )
        .outerjoin(
            TransferredContentRow,
            col(TransferredContentRow.content_id) == ExchangeRecordRow.content_id,
        )
        .where(
            key.in_(list(becomes)),
            col(ExchangeRecordRow.content_id).is_not(None),
            col(TransferredContentRow.content_id).is_(None),
        )
    )
    return {
        content_id
        for exchange_id, record_key, content_id in rows
        if becomes[exchange_id, record_key] != content_id
    }


def write_records(session: Session, states: Sequence[ContentState], changed: Sequence[int]) -> None:
    records = [
        {"exchange_id": state.record[0], "key": state.record[1], "content_id": state.id, "round": 0}
        for state in states
        if state.record is not None
    ]
    # What a content came from may have changed, and it can have come from one record only.
    held = col(ExchangeRecordRow.content_id).in_(changed)
    session.connection().execute(update(ExchangeRecordRow).where(held).values(content_id=None))
    if records:
        statement = upsert(session, ExchangeRecordRow)
        session.connection().execute(
            statement.on_conflict_do_update(
                index_elements=["exchange_id", "key"],
                set_={"content_id": statement.excluded.content_id},
            ),
            records,
        )


def delete_contents(session: Session, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    mark(session, typed_contents(ids))
    session.connection().execute(delete(SignalRow).where(col(SignalRow.content_id).in_(ids)))
    session.connection().execute(delete(ContentRow).where(col(ContentRow.id).in_(ids)))
    return len(ids)


def content_columns(state: ContentState, *, with_id: bool = True) -> dict[str, Any]:
    columns = {
        "bank_id": state.bank_id,
        "disable_until_ts": state.disable_until_ts,
        "original_media_uri": state.uri,
        "metadata": state.metadata,
        "note": state.note,
    }
    return {"id": state.id, **columns} if with_id else columns


def insert_contents(session: Session, states: Sequence[ContentState]) -> Sequence[int]:
    """Write new content without its signals and labels; an id for each, in the order of states."""
    insertion = insert(ContentRow).returning(col(ContentRow.id), sort_by_parameter_order=True)
    rows = [content_columns(state, with_id=False) for state in states]
    ids: Sequence[Any] = session.connection().execute(insertion, rows).scalars().all()
    return ids


def insert_labels(session: Session, owned: Iterable[tuple[int | None, ContentState]]) -> None:
    """Write the labels of content that has none yet, with its ids."""
    rows = [
        {"content_id": content_id, "name": name}
        for content_id, state in owned
        for name in state.labels
    ]
    if rows:
        session.connection().execute(insert(LabelRow), rows)


def insert_signals(session: Session, owned: Iterable[tuple[int | None, ContentState]]) -> None:
    rows = [
        {"content_id": content_id, "signal_type": name, "ordinal": ordinal, "value": value}
        for content_id, state in owned
        for name, group in groupby(state.signals, key=itemgetter(0))
        for ordinal, (_, value) in enumerate(group)
    ]
    if rows:
        session.connection().execute(insert(SignalRow), rows)


def upsert_rows(
    session: Session, table: type[SQLModel], key: str, rows: list[dict[str, Any]]
) -> None:
    if rows:
        statement = upsert(session, table)
        others = {name: statement.excluded[name] for name in rows[0] if name != key}
        session.connection().execute(
            statement.on_conflict_do_update(index_elements=[key], set_=others), rows
        )


def locked(ids: Sequence[int]) -> Any:
    query = select_columns(col(ContentRow.id)).where(col(ContentRow.id).in_(ids))
    return query.order_by(col(ContentRow.id)).with_for_update()


def typed_contents(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return select_columns(col(SignalRow.signal_type), col(SignalRow.content_id)).where(
        col(SignalRow.content_id).in_(ids)
    )
