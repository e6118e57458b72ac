"""Records of exchanges, and the content that each becomes. Written in bulk, never row by row.

A record that has signals is a content of its own, as in HMA: two records with the same signal are
two contents, and when one is withdrawn the other goes on matching. The content keeps its id, its
note and its being disabled when the record changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlmodel import Session, col

from core.catalog.marks import mark_all
from core.catalog.models import BankRow, ContentRow, DirtyRow, ExchangeRecordRow, SignalRow
from core.index.entry import ENABLED

T = TypeVar("T")

AT_ONCE = 1000
"""Records a statement, which bounds its parameters."""

Signals = tuple[tuple[str, str], ...]
"""(signal type, normalised signal), sorted, each once."""


@dataclass(frozen=True)
class Fetched:
    """What an exchange says of one of its records.

    Attributes:
        key: as text.
        record: as JSON.
        signals: what it means to us; without any there is no content.
        poison: why it could not be understood, or not all of it.
        gone: it has been withdrawn or deleted there.
    """

    key: str
    record: Any = None
    signals: Signals = ()
    poison: str | None = None
    gone: bool = False


@dataclass
class Applied:
    """What storing records has changed.

    Attributes:
        added, changed, removed: contents.
        poisoned: records set aside.
        signal_types: whose index must learn of it.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    poisoned: int = 0
    signal_types: set[str] = field(default_factory=set)

    def also(self, other: "Applied") -> None:
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed
        self.poisoned += other.poisoned
        self.signal_types |= other.signal_types


@dataclass(frozen=True)
class _Known:
    """A record that is stored already, its content and that one's signals, if it has any."""

    id: int
    content_id: int | None
    signals: Signals | None


def apply(
    session: Session, exchange_id: int, bank_id: int, round_number: int, fetched: Sequence[Fetched]
) -> Applied:
    """Store `fetched`, whose keys differ, seen in this round, and make its content what it says."""
    session.connection().execute(
        select(col(BankRow.id)).where(col(BankRow.id) == bank_id).with_for_update(read=True)
    )
    applied = Applied()
    marked: set[tuple[str, int]] = set()
    for chunk in _chunks(fetched):
        _Chunk(session, exchange_id, bank_id, round_number, applied, marked).store(chunk)
    # At the very end and all at once: publishers lock marks in this order too.
    mark_all(session, marked)
    applied.signal_types = {signal_type for signal_type, _ in marked}
    return applied


def sweep(session: Session, exchange_id: int, round_number: int, limit: int) -> tuple[int, Applied]:
    """Remove up to `limit` records that this round has not seen, with their content.

    Returns:
        How many records, and what that changed; call again until it is none.
    """
    unseen = (
        session.connection()
        .execute(
            select(col(ExchangeRecordRow.id), col(ExchangeRecordRow.content_id))
            .where(
                col(ExchangeRecordRow.exchange_id) == exchange_id,
                col(ExchangeRecordRow.round) < round_number,
            )
            .limit(limit)
        )
        .all()
    )
    applied = Applied()
    marked: set[tuple[str, int]] = set()
    for chunk in _chunks(unseen):
        contents = [content_id for _, content_id in chunk if content_id is not None]
        signals = _signals(session, contents)
        session.connection().execute(
            delete(ExchangeRecordRow).where(
                col(ExchangeRecordRow.id).in_([record_id for record_id, _ in chunk])
            )
        )
        marked |= _drop(session, signals)
        applied.removed += len(signals)
    mark_all(session, marked)
    applied.signal_types = {signal_type for signal_type, _ in marked}
    return len(unseen), applied


@dataclass(frozen=True)
class Counts:
    """What is there of an exchange, and how much of it the index does not know yet.

    Attributes:
        records: fetched, those set aside too.
        poisoned: set aside, or not understood in full.
        contents: in its bank.
        signals: in its bank, by signal type.
        unpublished: changes that may concern it and await publication.
    """

    records: int
    poisoned: int
    contents: int
    signals: dict[str, int]
    unpublished: int


def count(session: Session, exchange_id: int, bank_id: int) -> Counts:
    """What is there of an exchange, in one state of the catalog."""
    connection = session.connection()
    records = connection.execute(
        select(func.count(), func.count(col(ExchangeRecordRow.poison))).where(
            col(ExchangeRecordRow.exchange_id) == exchange_id
        )
    ).one()
    contents = connection.execute(
        select(func.count()).where(col(ContentRow.bank_id) == bank_id)
    ).scalar_one()
    signals = connection.execute(
        select(col(SignalRow.signal_type), func.count())
        .join(ContentRow, col(ContentRow.id) == SignalRow.content_id)
        .where(col(ContentRow.bank_id) == bank_id)
        .group_by(col(SignalRow.signal_type))
    )
    # Of content that has gone nobody knows any more whose it was.
    unpublished = connection.execute(
        select(func.count())
        .select_from(DirtyRow)
        .outerjoin(ContentRow, col(ContentRow.id) == DirtyRow.content_id)
        .where(or_(col(ContentRow.bank_id) == bank_id, col(ContentRow.id).is_(None)))
    ).scalar_one()
    return Counts(*records, contents, {name: n for name, n in signals}, unpublished)  # noqa: C416


def count_records(session: Session, exchange_id: int) -> int:
    """How many records of an exchange there are."""
    return int(
        session.connection()
        .execute(select(func.count()).where(col(ExchangeRecordRow.exchange_id) == exchange_id))
        .scalar_one()
    )


def poisoned(
    session: Session, exchange_id: int, after: int, limit: int
) -> list[tuple[int, str, str, Any]]:
    """(id, key, reason, record) of records set aside whose id is larger than `after`, by id."""
    rows = session.connection().execute(
        select(
            col(ExchangeRecordRow.id),
            col(ExchangeRecordRow.key),
            col(ExchangeRecordRow.poison),
            col(ExchangeRecordRow.record),
        )
        .where(
            col(ExchangeRecordRow.exchange_id) == exchange_id,
            col(ExchangeRecordRow.poison).is_not(None),
            col(ExchangeRecordRow.id) > after,
        )
        .order_by(col(ExchangeRecordRow.id))
        .limit(limit)
    )
    return [tuple(row) for row in rows]


def stored(session: Session, exchange_id: int, keys: Sequence[str]) -> dict[str, Any]:
    """The records of those of `keys` that are there, as JSON, by key."""
    found: dict[str, Any] = {}
    for chunk in _chunks(keys):
        rows = session.connection().execute(
            select(col(ExchangeRecordRow.key), col(ExchangeRecordRow.record)).where(
                col(ExchangeRecordRow.exchange_id) == exchange_id,
                col(ExchangeRecordRow.key).in_(chunk),
            )
        )
        found |= {key: record for key, record in rows}  # noqa: C416  # rows, not pairs
    return found


class _Chunk:
    """At most `AT_ONCE` records of one transaction, stored together."""

    def __init__(
        self,
        session: Session,
        exchange_id: int,
        bank_id: int,
        round_number: int,
        applied: Applied,
        marked: set[tuple[str, int]],
    ) -> None:
        self._session = session
        self._connection = session.connection()
        self._exchange_id = exchange_id
        self._bank_id = bank_id
        self._round = round_number
        self._applied = applied
        self._marked = marked

    def store(self, fetched: Sequence[Fetched]) -> None:
        known = self._known(fetched)
        live = [one for one in fetched if not one.gone]
        lasting = {one.key for one in live if one.signals}
        leaving = [k for key, k in known.items() if key not in lasting]
        contents = self._contents(live, known)
        self._records(live, known, contents)
        gone = [known[one.key].id for one in fetched if one.gone and one.key in known]
        self._connection.execute(
            delete(ExchangeRecordRow).where(col(ExchangeRecordRow.id).in_(gone))
        )
        dropped = {k.content_id: k.signals or () for k in leaving if k.content_id is not None}
        self._marked |= _drop(self._session, dropped)
        self._applied.removed += len(dropped)
        self._applied.poisoned += sum(one.poison is not None for one in live)

    def _known(self, fetched: Sequence[Fetched]) -> dict[str, _Known]:
        """Those that are stored already; content that will change or go is locked."""
        rows = self._connection.execute(
            select(
                col(ExchangeRecordRow.key),
                col(ExchangeRecordRow.id),
                col(ExchangeRecordRow.content_id),
            ).where(
                col(ExchangeRecordRow.exchange_id) == self._exchange_id,
                col(ExchangeRecordRow.key).in_([one.key for one in fetched]),
            )
        ).all()
        signals = _signals(self._session, [row[2] for row in rows if row[2] is not None])
        known: dict[str, _Known] = {}
        for key, record_id, content_id in rows:
            assert record_id is not None
            held = content_id if content_id in signals else None
            known[key] = _Known(record_id, held, None if held is None else signals[held])
        touched = [
            k.content_id
            for one in fetched
            if (k := known.get(one.key)) and k.content_id is not None and k.signals != one.signals
        ]
        alive = set(
            self._connection.scalars(
                select(col(ContentRow.id))
                .where(col(ContentRow.id).in_(touched))
                .order_by(col(ContentRow.id))
                .with_for_update()
            )
        )
        vanished = set(touched) - alive  # deleted by a curator this very moment
        return {
            key: _Known(k.id, None, None) if k.content_id in vanished else k
            for key, k in known.items()
        }

    def _contents(self, live: Sequence[Fetched], known: dict[str, _Known]) -> dict[str, int]:
        """The content of each record that has signals, made where there is none, with those."""
        nothing = _Known(0, None, None)
        banked = [(one, known.get(one.key, nothing)) for one in live if one.signals]
        new = [one for one, k in banked if k.content_id is None]
        changed = [
            (one, k) for one, k in banked if k.content_id is not None and k.signals != one.signals
        ]
        self._connection.execute(
            delete(SignalRow).where(
                col(SignalRow.content_id).in_([k.content_id for _, k in changed])
            )
        )
        ids: list[int] = []
        if new:
            row = {"bank_id": self._bank_id, "disable_until_ts": ENABLED}
            made = insert(ContentRow).returning(col(ContentRow.id))
            ids = list(self._connection.scalars(made, [row] * len(new)))
        contents = {one.key: k.content_id for one, k in banked if k.content_id is not None}
        contents |= {one.key: content_id for one, content_id in zip(new, ids, strict=True)}
        rows = [
            row for one in [*new, *(one for one, _ in changed)]
            for row in _signal_rows(contents[one.key], one.signals)
        ]  # fmt: skip
        if rows:
            self._connection.execute(insert(SignalRow), rows)
        self._marked |= {(row["signal_type"], row["content_id"]) for row in rows}
        for _, k in changed:
            assert k.content_id is not None
            self._marked |= {(name, k.content_id) for name, _ in k.signals or ()}
        self._applied.added += len(new)
        self._applied.changed += len(changed)
        return contents

    def _records(
        self, live: Sequence[Fetched], known: dict[str, _Known], contents: dict[str, int]
    ) -> None:
        new: list[dict[str, Any]] = []
        same: list[dict[str, Any]] = []
        moved: list[dict[str, Any]] = []
        for one in live:
            content_id = contents.get(one.key)
            values = {"record": one.record, "poison": one.poison, "round": self._round}
            k = known.get(one.key)
            if k is None:
                key = {"exchange_id": self._exchange_id, "key": one.key}
                new.append({**values, **key, "content_id": content_id})
            elif k.content_id == content_id:
                # What a curator deletes meanwhile sets this to null: it must not be set again.
                same.append({**values, "known": k.id})
            else:
                moved.append({**values, "known": k.id, "content_id": content_id})
        if new:
            self._connection.execute(insert(ExchangeRecordRow), new)
        one_row = update(ExchangeRecordRow).where(col(ExchangeRecordRow.id) == bindparam("known"))
        stored: dict[str, Any] = {name: bindparam(name) for name in ("record", "poison", "round")}
        if same:
            self._connection.execute(one_row.values(**stored), same)
        if moved:
            self._connection.execute(
                one_row.values(**stored, content_id=bindparam("content_id")), moved
            )


def _signals(session: Session, content_ids: Sequence[int]) -> dict[int, Signals]:
    """The signals of those of `content_ids` that exist."""
    rows = session.connection().execute(
        select(col(ContentRow.id), col(SignalRow.signal_type), col(SignalRow.value))
        .outerjoin(SignalRow, col(SignalRow.content_id) == ContentRow.id)
        .where(col(ContentRow.id).in_(content_ids))
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for content_id, name, value in rows:
        assert content_id is not None
        found.setdefault(content_id, []).extend([(name, value)] if name is not None else [])
    return {content_id: tuple(sorted(signals)) for content_id, signals in found.items()}


def _drop(session: Session, contents: dict[int, Signals]) -> set[tuple[str, int]]:
    """Delete contents of which these are the signals; what must be marked for it."""
    connection = session.connection()
    ids = sorted(contents)
    connection.execute(
        select(col(ContentRow.id))
        .where(col(ContentRow.id).in_(ids))
        .order_by(col(ContentRow.id))
        .with_for_update()
    )
    connection.execute(delete(SignalRow).where(col(SignalRow.content_id).in_(ids)))
    connection.execute(delete(ContentRow).where(col(ContentRow.id).in_(ids)))
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


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
