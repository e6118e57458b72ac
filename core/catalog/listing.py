"""Many contents at once: pages of them in order of their ids, and how many there are."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, distinct, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.bank import bank_of, find
from core.catalog.content import Content, content_of
from core.catalog.entries import labels_of
from core.catalog.models import BankRow, ContentRow, LabelRow, SignalRow
from core.catalog.text import storable
from core.index.entry import ENABLED


@dataclass(frozen=True)
class Page:
    """Contents by ascending id.

    Attributes:
        following: ask for what comes after this id to go on; None at the end.
    """

    contents: tuple[Content, ...]
    following: int | None


@dataclass(frozen=True)
class Counts:
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


def page(
    session: Session,
    bank_name: str | None,
    *,
    after: int,
    limit: int,
    label: str | None,
    signal_type: str | None,
    ids: Collection[int] | None,
) -> Page:
    """Up to `limit` contents with ids above `after`, of one bank or of all.

    Args:
        label, signal_type: only contents that have it.
        ids: only these.

    Raises:
        NotFound: no such bank.
    """
    wanted: list[ColumnElement[bool]] = [col(ContentRow.id) > after]
    if bank_name is not None:
        wanted.append(col(ContentRow.bank_id) == find(session, bank_name).id)
    for text in label, signal_type:
        if text is not None and not storable(text):
            return Page((), None)  # which PostgreSQL could not even be asked
    if label is not None:
        labelled = select_columns(col(LabelRow.content_id)).where(col(LabelRow.name) == label)
        wanted.append(col(ContentRow.id).in_(labelled))
    if signal_type is not None:
        typed = select_columns(col(SignalRow.content_id)).where(
            col(SignalRow.signal_type) == signal_type
        )
        wanted.append(col(ContentRow.id).in_(typed))
    if ids is not None:
        wanted.append(col(ContentRow.id).in_(ids))
    found = session.exec(
        select(ContentRow, BankRow)
        .join(BankRow, col(BankRow.id) == col(ContentRow.bank_id))
        .where(*wanted)
        .order_by(col(ContentRow.id))
        .limit(limit + 1)
    ).all()
    rows = found[:limit]
    held = [content.id for content, _ in rows if content.id is not None]
    signals, labels = _signals_of(session, held), labels_of(session, held)
    contents = tuple(
        content_of(row, bank_of(bank), signals.get(row.id or 0, {}), labels.get(row.id or 0, ()))
        for row, bank in rows
    )
    return Page(contents, held[-1] if len(found) > limit else None)


def counts(session: Session, bank_name: str) -> Counts:
    """How many contents the bank has. Reads all of its index entries.

    Raises:
        NotFound: no such bank.
    """
    in_bank = col(ContentRow.bank_id) == find(session, bank_name).id
    connection = session.connection()
    contents = connection.execute(select_columns(func.count()).where(in_bank)).scalar_one()
    not_enabled = connection.execute(
        select_columns(func.count()).where(in_bank, col(ContentRow.disable_until_ts) != ENABLED)
    ).scalar_one()
    by_type = connection.execute(
        select_columns(col(SignalRow.signal_type), func.count(distinct(col(SignalRow.content_id))))
        .join(ContentRow, col(ContentRow.id) == col(SignalRow.content_id))
        .where(in_bank, ~col(SignalRow.crop))
        .group_by(col(SignalRow.signal_type))
    )
    crops = connection.execute(
        select_columns(func.count())
        .select_from(SignalRow)
        .join(ContentRow, col(ContentRow.id) == col(SignalRow.content_id))
        .where(in_bank, col(SignalRow.crop))
    ).scalar_one()
    return Counts(contents, not_enabled, {row[0]: row[1] for row in by_type}, crops)


def _signals_of(session: Session, ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The first signal of each type of each content, as `Catalog.content` gives them."""
    rows = session.exec(
        select(SignalRow)
        .where(col(SignalRow.content_id).in_(ids), SignalRow.ordinal == 0)
        .order_by(col(SignalRow.content_id), col(SignalRow.signal_type))
    )
    return {
        content_id: {row.signal_type: row.value for row in group}
        for content_id, group in groupby(rows, key=lambda row: row.content_id)
    }
