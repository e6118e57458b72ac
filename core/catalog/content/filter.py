"""Which contents of many are meant, and a page of them in order of their ids."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.bank import find_bank
from core.catalog.models import ContentRow, LabelRow, SignalRow
from core.catalog.text import storable


@dataclass(frozen=True)
class ContentFilter:
    """Contents that are all of these.

    Attributes:
        bank_name: in the bank of this name; None is in any.
        label: with this label.
        signal_type: with signals of this type.
        ids: of one of these ids.
    """

    bank_name: str | None = None
    label: str | None = None
    signal_type: str | None = None
    ids: Collection[int] | None = None

    def conditions(self, session: Session) -> list[ColumnElement[bool]] | None:
        """What a query for them says of `ContentRow`; None: there surely are none.

        Raises:
            NotFound: no such bank.
        """
        conditions: list[ColumnElement[bool]] = []
        if self.bank_name is not None:
            bank = find_bank(session, self.bank_name)
            conditions.append(col(ContentRow.bank_id) == bank.id)
        for text in self.label, self.signal_type:
            if text is not None and not storable(text):
                return None  # which PostgreSQL could not even be asked
        if self.label is not None:
            labelled = select_columns(col(LabelRow.content_id)).where(
                col(LabelRow.name) == self.label
            )
            conditions.append(col(ContentRow.id).in_(labelled))
        if self.signal_type is not None:
            typed = select_columns(col(SignalRow.content_id)).where(
                col(SignalRow.signal_type) == self.signal_type
            )
            conditions.append(col(ContentRow.id).in_(typed))
        if self.ids is not None:
            conditions.append(col(ContentRow.id).in_(self.ids))
        return conditions


def read_shown_signals(session: Session, ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The first signal of each type of each of `ids`, which is what clients are shown."""
    rows = session.exec(
        select(SignalRow)
        .where(col(SignalRow.content_id).in_(ids), SignalRow.ordinal == 0)
        .order_by(col(SignalRow.content_id), col(SignalRow.signal_type))
    )
    return {
        content_id: {row.signal_type: row.value for row in group}
        for content_id, group in groupby(rows, key=lambda row: row.content_id)
    }
