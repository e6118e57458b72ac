"""All that is kept of one content, wherever it comes from, to be compared and written in bulk."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Select
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from core.catalog.content.label import labels_of
from core.catalog.models import ContentRow, ExchangeRecordRow, SignalRow
from core.index.entry import ENABLED


@dataclass(frozen=True)
class ContentState:
    """All that is kept of one content, wherever it comes from.

    Attributes:
        id: its id, or None where it has yet to be given one.
        bank_id: the bank it is in, here.
        signals: pairs of type and signal, by type; several of one type keep their order.
        record: the exchange (its id here) and the key of the record that it came from.
        labels: ascending. They are given here, and what is moved again keeps them.
    """

    id: int | None
    bank_id: int
    signals: tuple[tuple[str, str], ...]
    disable_until_ts: int = ENABLED
    uri: str | None = None
    metadata: dict[str, Any] | None = field(default=None, hash=False)
    note: str | None = None
    record: tuple[int, str] | None = None
    labels: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The same for states that are equal but for ids and labels."""
        metadata = self.metadata and json.dumps(self.metadata, sort_keys=True)
        rest = (self.disable_until_ts, self.uri, metadata, self.note, self.record)
        # What a tuple of texts and numbers looks like takes a quarter of the time of JSON.
        value = ascii((self.bank_id, self.signals, *rest))
        return blake2b(value.encode(), digest_size=16).hexdigest()


def read_states(session: Session, page: Select[Any]) -> list[ContentState]:
    """The present state of the contents that the query `page` selects, in its order."""
    run = session.connection().execute
    columns = ContentRow.__table__.columns  # type: ignore[attr-defined]
    contents = run(page.with_only_columns(*columns)).all()
    ids = [content.id for content in contents]
    rows = run(
        select_columns(SignalRow.__table__.columns)  # type: ignore[attr-defined]
        .where(col(SignalRow.content_id).in_(ids))
        .order_by(col(SignalRow.content_id), col(SignalRow.signal_type), col(SignalRow.ordinal))
    )
    signals = {
        # Sorted here: databases have orders of text of their own.
        content_id: tuple(sorted(((r.signal_type, r.value) for r in group), key=itemgetter(0)))
        for content_id, group in groupby(rows, key=attrgetter("content_id"))
    }
    records = run(
        select_columns(
            col(ExchangeRecordRow.content_id),
            col(ExchangeRecordRow.exchange_id),
            col(ExchangeRecordRow.key),
        ).where(col(ExchangeRecordRow.content_id).in_(ids))
    )
    labels = labels_of(session, ids)
    origins = {content_id: (exchange_id, key) for content_id, exchange_id, key in records}
    return [
        ContentState(
            content.id,
            content.bank_id,
            signals.get(content.id, ()),
            content.disable_until_ts,
            content.original_media_uri,
            content.metadata,
            content.note,
            origins.get(content.id),
            labels.get(content.id, ()),
        )
        for content in contents
    ]
