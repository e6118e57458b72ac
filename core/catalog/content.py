"""Content: the things banked. What is allowed of one, and how it is written."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from sqlalchemy import delete
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.bank import Bank, find, hold
from core.catalog.entries import labels_of
from core.catalog.marks import mark
from core.catalog.metadata import checked_metadata
from core.catalog.models import NAME_LENGTH, NOTE_LENGTH, ContentRow, LabelRow, SignalRow
from core.catalog.text import storable
from core.errors import BadInput, NotFound
from core.index.entry import ENABLED

FIVE_YEARS = 5 * 365 * 24 * 3600
LARGEST_ID = 2**63 - 1
MOST_LABELS = 64


class Unset(Enum):
    """The type of `UNSET`, which leaves a field as it is where None would clear it."""

    UNSET = "unset"


UNSET: Literal[Unset.UNSET] = Unset.UNSET


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


def add(
    session: Session,
    bank_name: str,
    signals: Mapping[str, str],
    metadata: Any,
    note: Any,
    uri: str | None,
    labels: Any = None,
    crops: Sequence[str] = (),
) -> Content:
    """New, enabled content with these signals, which are validated and normalised already.

    Args:
        crops: PDQ hashes of crops of it.

    Raises:
        NotFound: no such bank.
        BadInput: no signals, or the metadata, the note, the labels or the address cannot be kept.
    """
    bank = hold(session, bank_name)
    if not signals:
        raise BadInput("No signals given")
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
    session.add_all(
        SignalRow(content_id=row.id, signal_type=name, ordinal=0, value=value)
        for name, value in signals.items()
    )
    session.add_all(
        SignalRow(content_id=row.id, signal_type="pdq", ordinal=ordinal, value=value, crop=True)
        for ordinal, value in enumerate(crops, start=1)
    )
    given = checked_labels(labels)
    _label(session, row.id, given)
    session.flush()
    _mark(session, row.id)
    return content_of(row, bank, dict(signals), given)


def get(session: Session, bank_name: str, content_id: int) -> Content:
    """This content of this bank.

    Raises:
        NotFound: no such bank, or no such content in it.
    """
    bank = find(session, bank_name)
    return _read(session, _row(session, bank, content_id), bank)


def update(
    session: Session,
    bank_name: str,
    content_id: int,
    disable_until_ts: Any,
    note: Any,
    labels: Any = UNSET,
) -> Content:
    """The content with those fields changed that are not `UNSET`; a note of None or "" is cleared.

    Raises:
        NotFound: no such bank, or no such content in it.
        BadInput: the time, the note or the labels.
    """
    bank = hold(session, bank_name)
    row = _row(session, bank, content_id, lock=True)
    if disable_until_ts is not UNSET:
        row.disable_until_ts = _checked_time(disable_until_ts)
    if note is not UNSET:
        row.note = checked_note(note)
    if labels is not UNSET:
        session.connection().execute(delete(LabelRow).where(col(LabelRow.content_id) == content_id))
        _label(session, content_id, checked_labels(labels))
    session.flush()
    _mark(session, content_id)
    return _read(session, row, bank)


def remove(session: Session, bank_name: str, content_id: int) -> int:
    """Delete this content of this bank.

    Returns:
        How many that were: 1, or 0 when it is not there.

    Raises:
        NotFound: no such bank.
    """
    bank = hold(session, bank_name)
    try:
        row = _row(session, bank, content_id, lock=True)
    except NotFound:
        return 0
    _mark(session, content_id)
    session.connection().execute(delete(SignalRow).where(col(SignalRow.content_id) == content_id))
    session.delete(row)
    return 1


def _row(session: Session, bank: Bank, content_id: int, *, lock: bool = False) -> ContentRow:
    row = None
    if 0 < content_id <= LARGEST_ID:  # a database can't be asked for others
        query = select(ContentRow).where(ContentRow.id == content_id, ContentRow.bank_id == bank.id)
        row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"content '{content_id}' not found")
    return row


def _read(session: Session, row: ContentRow, bank: Bank) -> Content:
    first_of_each_type = select(SignalRow).where(
        SignalRow.content_id == row.id, SignalRow.ordinal == 0
    )
    signals = session.exec(first_of_each_type.order_by(col(SignalRow.signal_type)))
    assert row.id is not None
    labels = labels_of(session, [row.id]).get(row.id, ())
    return content_of(row, bank, {one.signal_type: one.value for one in signals}, labels)


def content_of(
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


def _label(session: Session, content_id: int, labels: Sequence[str]) -> None:
    session.add_all(LabelRow(content_id=content_id, name=name) for name in labels)


def _mark(session: Session, content_id: int) -> None:
    mark(
        session,
        select_columns(col(SignalRow.signal_type), col(SignalRow.content_id)).where(
            col(SignalRow.content_id) == content_id
        ),
    )


def checked_note(note: Any) -> str | None:
    """A note that can be kept; "" is none. Raises BadInput."""
    if note is None or note == "":
        return None
    if not isinstance(note, str):
        raise BadInput("note should be a string")
    if len(note) > NOTE_LENGTH:
        raise BadInput(f"note must be at most {NOTE_LENGTH} characters")
    if not storable(note):
        raise BadInput("note must be UTF-8 without NUL")
    return note


def checked_labels(given: Any) -> tuple[str, ...]:
    """Each once, ascending, without the space around them; None are none. Raises BadInput."""
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(label, str) for label in given):
        raise BadInput("labels should be a list of strings")
    labels = tuple(sorted({label.strip() for label in given}))
    if len(labels) > MOST_LABELS:
        raise BadInput(f"content has at most {MOST_LABELS} labels")
    for label in labels:
        if not (0 < len(label) <= NAME_LENGTH and "," not in label and storable(label)):
            raise BadInput(f"a label is 1 to {NAME_LENGTH} characters of UTF-8, no comma, no NUL")
    return labels


def _checked_time(given: Any) -> int:
    try:
        if isinstance(given, bool | float):
            raise TypeError
        ts = int(given)
    except (TypeError, ValueError) as error:
        raise BadInput(f"Invalid int: {given!r}") from error
    if ts < 0:
        raise BadInput("disable_until_ts must be a non-negative integer")
    if ts > time.time() + FIVE_YEARS:
        raise BadInput("disable_until_ts must be less than 5 years in the future")
    return ts
