"""Moving content in: many at once, ids kept, each batch all or nothing.

Beside content that was moved stands a digest of its state where it came from. So a later run
finds by ids and digests alone what has changed there, and leaves alone what has not, whatever
was done to it here.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Select, delete, exists, func, insert, text, tuple_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col

from core.catalog.database import Database, upsert
from core.catalog.entries import labels_of
from core.catalog.marks import mark
from core.catalog.models import (
    BankRow,
    ContentRow,
    ExchangeRecordRow,
    LabelRow,
    MovedContentRow,
    SignalRow,
)
from core.errors import Unavailable
from core.index.entry import ENABLED

AT_ONCE = 1000
"""Contents in one transaction, which bounds memory and how long others wait for it."""


@dataclass(frozen=True)
class State:
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


def put(session: Session, states: Sequence[State]) -> set[int]:
    """Write content that was moved, new or changed, as these states say.

    A record of an exchange that had become other content here becomes this one, and the other
    goes: clients know the id that is moved.

    Returns:
        The ids that content made here has already. That content stays as it is.
    """
    _hold_banks(session, {state.bank_id for state in states})
    ids = [state.id for state in states if state.id is not None]
    present = set(session.exec(_locked(ids)).scalars())
    moved = set(session.exec(_moved(ids)).scalars())
    taken = present - moved
    written = [state for state in states if state.id not in taken]
    changed = sorted(present & moved)
    _remove(session, sorted(_superseded(session, written)))
    mark(session, _signals(changed))
    _execute(session, delete(SignalRow).where(col(SignalRow.content_id).in_(changed)))
    _upsert(session, ContentRow, "id", [_content_columns(state) for state in written])
    _insert_signals(session, [(state.id, state) for state in written])
    _keep_records(session, written, changed)
    digests = [{"content_id": state.id, "digest": state.digest} for state in written]
    _upsert(session, MovedContentRow, "content_id", digests)
    mark(session, _signals([content_id for content_id in ids if content_id not in taken]))
    return taken


def drop(session: Session, ids: Sequence[int]) -> int:
    """Delete content that was moved; how many of `ids` were still here."""
    gone = _remove(session, list(session.exec(_locked(ids)).scalars()))
    _execute(session, delete(MovedContentRow).where(col(MovedContentRow.content_id).in_(ids)))
    return gone


def add(session: Session, states: Sequence[State]) -> list[int]:
    """New content with these states; their ids, which are given here where they have none.

    Content whose id is taken is left out, so the ids may be fewer.
    """
    given = [state.id for state in states if state.id is not None]
    if given:
        reserve_ids(session, max(given))
    _hold_banks(session, {state.bank_id for state in states})
    taken = set(session.exec(_locked(given)).scalars())
    kept = [state for state in states if state.id is not None and state.id not in taken]
    _upsert(session, ContentRow, "id", [_content_columns(state) for state in kept])
    owned: list[tuple[int | None, State]] = [(state.id, state) for state in kept]
    if unnumbered := [state for state in states if state.id is None]:
        returning = insert(ContentRow).returning(col(ContentRow.id), sort_by_parameter_order=True)
        rows = [_content_columns(state, with_id=False) for state in unnumbered]
        made = session.connection().execute(returning, rows).scalars()
        owned += zip(made, unnumbered, strict=True)
    _insert_signals(session, owned)
    labels = [
        {"content_id": content_id, "name": name} for content_id, s in owned for name in s.labels
    ]
    if labels:
        session.connection().execute(insert(LabelRow), labels)
    ids = [content_id for content_id, _ in owned if content_id is not None]
    mark(session, _signals(ids))
    return ids


def reserve_ids(session: Session, last: int) -> None:
    """See to it that content made here from now on has an id above `last`.

    Before anything else in a transaction: it may lock the table, against all who write to it.
    """
    run = session.connection().execute
    if session.get_bind().dialect.name == "sqlite":
        run(text("INSERT INTO sqlite_sequence (name, seq) SELECT 'content', 0 WHERE NOT EXISTS "
                 "(SELECT 1 FROM sqlite_sequence WHERE name = 'content')"))  # fmt: skip
        run(
            text("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = 'content'"),
            {"last": last},
        )
        return
    sequence = run(text("SELECT pg_get_serial_sequence('content', 'id')")).scalar_one()
    now = text(f"SELECT last_value FROM {sequence}")  # noqa: S608  # its own name
    if run(now).scalar_one() < last:
        # Whoever inserts must not take an id between our look at the sequence and our change.
        run(text("LOCK TABLE content IN SHARE ROW EXCLUSIVE MODE"))
        if run(now).scalar_one() < last:
            run(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def digests(database: Database) -> Iterator[tuple[int, str]]:
    """Id and digest of all content that was moved, by ascending id, read as it is iterated."""
    last = 0
    while True:
        page = (
            select_columns(col(MovedContentRow.content_id), col(MovedContentRow.digest))
            .where(col(MovedContentRow.content_id) > last)
            .order_by(col(MovedContentRow.content_id))
            .limit(AT_ONCE)
        )
        with database.reading() as session:
            rows = session.connection().execute(page).all()
        if not rows:
            return
        yield from ((content_id, digest) for content_id, digest in rows)
        last = rows[-1][0]


def states(database: Database, bank_ids: Collection[int] | None = None) -> Iterator[State]:
    """The present state of content by ascending id, read as it is iterated.

    Args:
        bank_ids: of these banks all content; None: of all banks what was moved.
    """
    last = 0
    while True:
        page = select_columns(ContentRow).where(col(ContentRow.id) > last)
        if bank_ids is None:
            page = page.where(exists().where(col(MovedContentRow.content_id) == ContentRow.id))
        else:
            page = page.where(col(ContentRow.bank_id).in_(bank_ids))
        with database.reading() as session:
            found = _states(session, page.order_by(col(ContentRow.id)).limit(AT_ONCE))
        if not found:
            return
        yield from found
        assert found[-1].id is not None
        last = found[-1].id


def present(session: Session, ids: Sequence[int]) -> dict[int, State]:
    """The present state of those of `ids` that are here, whoever made them, by id."""
    page = select_columns(ContentRow).where(col(ContentRow.id).in_(ids))
    return {state.id: state for state in _states(session, page) if state.id is not None}


def counts(session: Session) -> dict[tuple[str | None, str | None], tuple[int, int]]:
    """By bank and signal type how many signals were moved, and how many were made here.

    Under the type None stands how many contents that were.
    """
    moved = col(MovedContentRow.content_id)
    how_many = (func.count(moved), func.count(col(ContentRow.id)) - func.count(moved))
    contents = (
        select_columns(col(BankRow.name), *how_many)
        .outerjoin(ContentRow, col(ContentRow.bank_id) == BankRow.id)
        .outerjoin(MovedContentRow, moved == ContentRow.id)
        .group_by(col(BankRow.name))
    )
    signals = (
        select_columns(col(BankRow.name), col(SignalRow.signal_type), *how_many)
        .join(ContentRow, col(ContentRow.bank_id) == BankRow.id)
        .join(SignalRow, col(SignalRow.content_id) == ContentRow.id)
        .outerjoin(MovedContentRow, moved == ContentRow.id)
        .where(~col(SignalRow.crop))
        .group_by(col(BankRow.name), col(SignalRow.signal_type))
    )
    run = session.connection().execute
    found: dict[tuple[str | None, str | None], tuple[int, int]] = {
        (bank, None): (ours, own) for bank, ours, own in run(contents)
    }
    return found | {(bank, type_): (ours, own) for bank, type_, ours, own in run(signals)}


def _states(session: Session, page: Select[Any]) -> list[State]:
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
        State(
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


def _hold_banks(session: Session, bank_ids: Collection[int]) -> None:
    """Banks come before content in the order of locks, and stay until all of it is written."""
    query = select_columns(col(BankRow.id)).where(col(BankRow.id).in_(sorted(bank_ids)))
    held = session.connection().execute(query.order_by(col(BankRow.id)).with_for_update(read=True))
    if len(held.all()) < len(bank_ids):
        raise Unavailable("a bank was deleted here meanwhile: run this again")


def _superseded(session: Session, states: Sequence[State]) -> set[int]:
    """Content made here of records that now become content with another id.

    Content that was moved stays: there, two may have come of one record.
    """
    becomes = {state.record: state.id for state in states if state.record is not None}
    key = tuple_(col(ExchangeRecordRow.exchange_id), col(ExchangeRecordRow.key))
    rows: Any = session.connection().execute(
        select_columns(
            col(ExchangeRecordRow.exchange_id),
            col(ExchangeRecordRow.key),
            col(ExchangeRecordRow.content_id),
        )
        .outerjoin(MovedContentRow, col(MovedContentRow.content_id) == ExchangeRecordRow.content_id)
        .where(
            key.in_(list(becomes)),
            col(ExchangeRecordRow.content_id).is_not(None),
            col(MovedContentRow.content_id).is_(None),
        )
    )
    return {
        content_id
        for exchange_id, record_key, content_id in rows
        if becomes[exchange_id, record_key] != content_id
    }


def _keep_records(session: Session, states: Sequence[State], changed: Sequence[int]) -> None:
    records = [
        {"exchange_id": state.record[0], "key": state.record[1], "content_id": state.id, "round": 0}
        for state in states
        if state.record is not None
    ]
    # What a content came from may have changed, and it can have come from one record only.
    held = col(ExchangeRecordRow.content_id).in_(changed)
    _execute(session, update(ExchangeRecordRow).where(held).values(content_id=None))
    if records:
        statement = upsert(session, ExchangeRecordRow)
        session.connection().execute(
            statement.on_conflict_do_update(
                index_elements=["exchange_id", "key"],
                set_={"content_id": statement.excluded.content_id},
            ),
            records,
        )


def _remove(session: Session, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    mark(session, _signals(ids))
    _execute(session, delete(SignalRow).where(col(SignalRow.content_id).in_(ids)))
    _execute(session, delete(ContentRow).where(col(ContentRow.id).in_(ids)))
    return len(ids)


def _content_columns(state: State, *, with_id: bool = True) -> dict[str, Any]:
    columns = {
        "bank_id": state.bank_id,
        "disable_until_ts": state.disable_until_ts,
        "original_media_uri": state.uri,
        "metadata": state.metadata,
        "note": state.note,
    }
    return {"id": state.id, **columns} if with_id else columns


def _insert_signals(session: Session, owned: Iterable[tuple[int | None, State]]) -> None:
    rows = [
        {"content_id": content_id, "signal_type": name, "ordinal": ordinal, "value": value}
        for content_id, state in owned
        for name, group in groupby(state.signals, key=itemgetter(0))
        for ordinal, (_, value) in enumerate(group)
    ]
    if rows:
        session.connection().execute(insert(SignalRow), rows)


def _upsert(session: Session, table: type[SQLModel], key: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        statement = upsert(session, table)
        others = {name: statement.excluded[name] for name in rows[0] if name != key}
        session.connection().execute(
            statement.on_conflict_do_update(index_elements=[key], set_=others), rows
        )


def _locked(ids: Sequence[int]) -> Any:
    query = select_columns(col(ContentRow.id)).where(col(ContentRow.id).in_(ids))
    return query.order_by(col(ContentRow.id)).with_for_update()


def _moved(ids: Sequence[int]) -> Any:
    return select_columns(col(MovedContentRow.content_id)).where(
        col(MovedContentRow.content_id).in_(ids)
    )


def _signals(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return select_columns(col(SignalRow.signal_type), col(SignalRow.content_id)).where(
        col(SignalRow.content_id).in_(ids)
    )


def _execute(session: Session, statement: Any) -> None:
    session.connection().execute(statement)
