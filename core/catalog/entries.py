"""The state of content as the index of one signal type sees it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.catalog.content.label import labels_of
from core.catalog.database import Database
from core.catalog.models import ContentRow, SignalRow
from core.index.entry import Entry

READ_AT_ONCE = 1000
"""Contents a query, which bounds the memory of a stream and the parameters of a statement."""


class Entries:
    """The content of one catalog as indices see it. Read when it is iterated, in bounded memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, signal_type: str, content_ids: Sequence[int]) -> Iterator[Entry]:
        """Those of `content_ids` that have signals of this type, each in one state."""
        for start in range(0, len(content_ids), READ_AT_ONCE):
            with self._database.reading() as session:
                page = _page(session, signal_type, content_ids[start : start + READ_AT_ONCE])
            yield from page

    def every(self, signal_type: str, within: range | None = None) -> Iterator[Entry]:
        """All content with signals of this type, or of ids `within`, by ascending id.

        What is added meanwhile is seen if its id is still ahead; what is removed, until then.
        """
        last = within.start - 1 if within else 0
        ahead = (col(SignalRow.content_id) < within.stop,) if within else ()
        while True:
            ids = (
                select(col(SignalRow.content_id))
                .where(
                    col(SignalRow.signal_type) == signal_type,
                    col(SignalRow.content_id) > last,
                    *ahead,
                )
                .distinct()
                .order_by(col(SignalRow.content_id))
                .limit(READ_AT_ONCE)
            )
            with self._database.reading() as session:
                page = _page(session, signal_type, ids)
            if not page:
                return
            yield from page
            last = page[-1].content_id

    def following(self, signal_type: str, start: int) -> int | None:
        """The smallest content id with such signals, from `start` on; None if there is none."""
        with self._database.reading() as session:
            return session.connection().scalar(
                select(func.min(col(SignalRow.content_id))).where(
                    col(SignalRow.signal_type) == signal_type, col(SignalRow.content_id) >= start
                )
            )


def _page(session: Session, signal_type: str, ids: Sequence[int] | Select[int]) -> list[Entry]:
    rows = session.connection().execute(
        select(
            col(ContentRow.id),
            col(ContentRow.bank_id),
            col(ContentRow.disable_until_ts),
            col(ContentRow.curated),
            col(ContentRow.note),
            col(SignalRow.value),
        )
        .join(SignalRow, col(SignalRow.content_id) == ContentRow.id)
        .where(col(SignalRow.signal_type) == signal_type, col(SignalRow.content_id).in_(ids))
        .order_by(col(SignalRow.content_id), col(SignalRow.ordinal))
    )
    labels = labels_of(session, ids)
    entries = []
    for _, group in groupby(rows, key=itemgetter(0)):
        (content_id, bank_id, disable_until_ts, metadata, note, signal), *others = group
        signals = (signal, *(other[-1] for other in others))
        entries.append(
            Entry(
                content_id,
                bank_id,
                signals,
                disable_until_ts,
                metadata,
                note,
                labels.get(content_id, ()),
            )
        )
    return entries
