"""Which thing elsewhere a bank, exchange or ratio here is, and its state there when last written.

What has not changed there since it was last written here is left alone here, whatever was done to
it here. `noun` is `bank`, `exchange` or `signal_type`; `key` is what the thing is known by there.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from sqlalchemy import delete
from sqlmodel import Session, col, select

from core.catalog.models import BankRow, ExchangeRow, TransferredRow
from core.errors import Forbidden

R = TypeVar("R", BankRow, ExchangeRow)

Verdict = Literal["same", "written", "changed here"]
"""What became of a thing: nothing had to, it was written, or it differs and was left alone."""

Refuse = Callable[[str, str], None]
"""Is told what was not done, and why."""


class Transferred(Protocol):
    """A thing as it is elsewhere, a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> str: ...


def read_origins(session: Session, noun: str) -> dict[str, TransferredRow]:
    """All that was transferred, by key."""
    rows = session.exec(select(TransferredRow).where(TransferredRow.noun == noun))
    return {row.key: row for row in rows}


def read_origin(session: Session, noun: str, key: str) -> TransferredRow | None:
    """What is known of the thing of this key."""
    return session.get(TransferredRow, (noun, key))


def lock_local(session: Session, table: type[R], origin: TransferredRow | None) -> R | None:
    """What was transferred, held, unless it has been deleted here since."""
    return session.get(table, origin.local_id, with_for_update=True) if origin else None


def is_unchanged(origin: TransferredRow | None, original: Transferred) -> bool:
    """Whether it is there as it was when it was last written here."""
    return origin is not None and origin.digest == _digest(original)


def write_origin(session: Session, noun: str, original: Transferred, local_id: int) -> None:
    """Remember that it is here, under this id, as it is there now."""
    digest = _digest(original)
    session.merge(TransferredRow(noun=noun, key=original.key, local_id=local_id, digest=digest))


def delete_origin(session: Session, noun: str, key: str) -> None:
    """Forget the thing of this key."""
    gone = (col(TransferredRow.noun) == noun) & (col(TransferredRow.key) == key)
    session.connection().execute(delete(TransferredRow).where(gone))


def delete_others(
    session: Session,
    noun: str,
    kept: Collection[str],
    refuse: Refuse,
    delete_one: Callable[[Session, str], None],
) -> int:
    """Delete what was transferred and whose key is none of `kept`; how many there were."""
    deleted = 0
    for key in sorted(read_origins(session, noun).keys() - set(kept)):
        try:
            delete_one(session, key)
            deleted += 1
        except Forbidden as error:
            refuse(noun, error.message)
    return deleted


def count_written(what: str, verdict: Verdict, refuse: Refuse) -> int:
    """1 if it was written; tells what was left as it is though it differs."""
    if verdict == "changed here":
        refuse(what, "was changed here, and not there")
    return verdict == "written"


def local_id_of(row: BankRow | ExchangeRow) -> int:
    """The id of a row that is stored."""
    assert row.id is not None
    return row.id


def _digest(original: Transferred) -> str:
    text = json.dumps(asdict(original), sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()
