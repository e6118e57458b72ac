"""Content: the things banked. How one is made, read, changed and deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.bank import Bank, bank_of, find_bank, hold_bank
from core.catalog.content.fields import UNSET, checked_note, checked_time
from core.catalog.content.filter import ContentFilter, read_shown_signals
from core.catalog.content.label import add_labels, checked_labels, labels_of
from core.catalog.content.metadata import checked_metadata
from core.catalog.database import Database
from core.catalog.marks import mark
from core.catalog.models import BankRow, ContentRow, LabelRow, SignalRow
from core.catalog.signal_type import check_switched_on
from core.catalog.text import storable
from core.errors import BadInput, NotFound
from core.index.entry import ENABLED

LARGEST_ID = 2**63 - 1
EVERYTHING = ContentFilter()


@dataclass(frozen=True)
class Content:
    """One banked thing.

    Attributes:
        id: the `bank_content_id` of answers, never given to another content.
        bank: the bank it is in.
        signals: its signal by type.
        disable_until_ts: 1 enabled, 0 disabled, else disabled until that Unix time.
        original_media_uri: where it came from, if told.
        metadata: `content_id`, `content_uri`, `json`, as far as given, or None.
        note: a remark for people, at most 255 characters, or None.
        labels: words to find it by, ascending.
    """

    id: int
    bank: Bank
    signals: dict[str, str]
    disable_until_ts: int = ENABLED
    original_media_uri: str | None = None
    metadata: dict[str, Any] | None = None
    note: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContentPage:
    """Contents by ascending id.

    Attributes:
        following: ask for what comes after this id to go on; None at the end.
    """

    contents: tuple[Content, ...]
    following: int | None


class Contents:
    """All content of one catalog. Each is reached through the bank that it is in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        bank_name: str,
        signals: Mapping[str, str],
        metadata: Any = None,
        note: Any = None,
        uri: str | None = None,
        labels: Any = None,
        crops: Sequence[str] = (),
    ) -> Content:
        """New, enabled content with these signals by type, validated and normalised already.

        The bank, and that no type is switched off, is true in the transaction that makes it: what
        was known before its signals were hashed may not be so any more.

        Args:
            crops: PDQ hashes of crops of it, which are matched too.

        Raises:
            NotFound: no such bank.
            BadInput: no signals, one of a type that is switched off, or the metadata, the note,
                the labels or the address cannot be kept.

        Not safe to repeat: each call that succeeds makes one more content.
        """
        with self._database.writing() as session:
            bank = hold_bank(session, bank_name)
            if not signals:
                raise BadInput("No signals given")
            check_switched_on(session, signals)
            for name, value in signals.items():
                if not storable(value):
                    raise BadInput(f"Invalid {name} signal: it must be UTF-8 without NUL")
            if uri is not None and not storable(uri):
                raise BadInput("original_media_uri must be UTF-8 without NUL")
            row = ContentRow(
                bank_id=bank.id,
                disable_until_ts=ENABLED,
                original_media_uri=uri,
                curated=checked_metadata(metadata),
                note=checked_note(note),
            )
            session.add(row)
            session.flush()
            assert row.id is not None
            words = checked_labels(labels)
            _add_signals(session, row.id, signals, crops)
            add_labels(session, row.id, words)
            session.flush()
            _mark(session, row.id)
            return _content_of(row, bank, dict(signals), words)

    def get(self, bank_name: str, content_id: int) -> Content:
        """This content of this bank. Raises NotFound: no such bank, or no such content in it."""
        with self._database.reading() as session:
            return find_content(session, bank_name, content_id)

    def page(
        self, wanted: ContentFilter = EVERYTHING, *, after: int = 0, limit: int = 100
    ) -> ContentPage:
        """Up to `limit` contents with ids above `after` by ascending id, of those that are wanted.

        Args:
            after: the `following` of the page before.

        Raises:
            NotFound: no such bank.
        """
        with self._database.reading() as session:
            conditions = wanted.conditions(session)
            if conditions is None:
                return ContentPage((), None)
            rows = session.exec(
                select(ContentRow, BankRow)
                .join(BankRow, col(BankRow.id) == col(ContentRow.bank_id))
                .where(col(ContentRow.id) > after, *conditions)
                .order_by(col(ContentRow.id))
                .limit(limit + 1)
            ).all()
            ids = [row.id for row, _ in rows[:limit] if row.id is not None]
            signals, labels = read_shown_signals(session, ids), labels_of(session, ids)
            contents = tuple(
                _content_of(row, bank_of(bank), signals.get(id_, {}), labels.get(id_, ()))
                for id_, (row, bank) in zip(ids, rows, strict=False)
            )
        return ContentPage(contents, ids[-1] if len(rows) > limit else None)

    def update(
        self,
        bank_name: str,
        content_id: int,
        *,
        disable_until_ts: Any = UNSET,
        note: Any = UNSET,
        labels: Any = UNSET,
    ) -> Content:
        """The content with those fields changed that are not `UNSET`.

        Args:
            disable_until_ts: 1 enabled, 0 disabled, else disabled until that Unix time, at most
                five years ahead. Digits in a string count as a number.
            note: at most 255 characters; "" or None clears it.
            labels: all of them, a list; None is none.

        Raises:
            NotFound: no such bank, or no such content in it.
            BadInput: the time, the note or the labels.
        """
        with self._database.writing() as session:
            bank = hold_bank(session, bank_name)
            row = _row(session, bank, content_id, lock=True)
            if disable_until_ts is not UNSET:
                row.disable_until_ts = checked_time(disable_until_ts)
            if note is not UNSET:
                row.note = checked_note(note)
            if labels is not UNSET:
                words = checked_labels(labels)
                _delete_rows(session, LabelRow, content_id)
                add_labels(session, content_id, words)
            session.flush()
            _mark(session, content_id)
            return _read(session, row, bank)

    def delete(self, bank_name: str, content_id: int) -> int:
        """Delete this content of this bank.

        Returns:
            How many that were: 1, or 0 when it is not there.

        Raises:
            NotFound: no such bank.
        """
        with self._database.writing() as session:
            bank = hold_bank(session, bank_name)
            try:
                row = _row(session, bank, content_id, lock=True)
            except NotFound:
                return 0
            _mark(session, content_id)
            _delete_rows(session, SignalRow, content_id)
            session.delete(row)
            return 1


def find_content(session: Session, bank_name: str, content_id: int) -> Content:
    """As `Contents.get`, in a transaction that does more than that."""
    bank = find_bank(session, bank_name)
    return _read(session, _row(session, bank, content_id), bank)


def _row(session: Session, bank: Bank, content_id: int, *, lock: bool = False) -> ContentRow:
    row = None
    if 0 < content_id <= LARGEST_ID:  # a database can't be asked for others
        query = select(ContentRow).where(ContentRow.id == content_id, ContentRow.bank_id == bank.id)
        row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"content '{content_id}' not found")
    return row


def _read(session: Session, row: ContentRow, bank: Bank) -> Content:
    assert row.id is not None
    ids = [row.id]
    signals, labels = read_shown_signals(session, ids), labels_of(session, ids)
    return _content_of(row, bank, signals.get(row.id, {}), labels.get(row.id, ()))


def _content_of(
    row: ContentRow, bank: Bank, signals: dict[str, str], labels: tuple[str, ...]
) -> Content:
    """The value of a stored row and of what belongs to it."""
    assert row.id is not None
    return Content(
        row.id,
        bank,
        signals,
        row.disable_until_ts,
        row.original_media_uri,
        row.curated,
        row.note,
        labels,
    )


def _add_signals(
    session: Session, content_id: int, signals: Mapping[str, str], crops: Sequence[str]
) -> None:
    session.add_all(
        SignalRow(content_id=content_id, signal_type=name, ordinal=0, value=value)
        for name, value in signals.items()
    )
    session.add_all(
        SignalRow(content_id=content_id, signal_type="pdq", ordinal=ordinal, value=value, crop=True)
        for ordinal, value in enumerate(crops, start=1)
    )


def _delete_rows(
    session: Session, table: type[SignalRow] | type[LabelRow], content_id: int
) -> None:
    session.connection().execute(delete(table).where(col(table.content_id) == content_id))


def _mark(session: Session, content_id: int) -> None:
    mark(
        session,
        select_columns(col(SignalRow.signal_type), col(SignalRow.content_id)).where(
            col(SignalRow.content_id) == content_id
        ),
    )
