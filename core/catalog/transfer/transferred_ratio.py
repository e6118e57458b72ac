"""Ratios of signal types that were transferred here, each known by its type."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col

from core.catalog.database import Database
from core.catalog.marks import mark_all
from core.catalog.models import SignalTypeOverrideRow
from core.catalog.signal_type import write_ratio
from core.catalog.transfer.origin import (
    Refuse,
    Verdict,
    count_written,
    delete_origin,
    delete_others,
    is_unchanged,
    read_origin,
    write_origin,
)
from core.index.entry import BANKS


@dataclass(frozen=True)
class TransferredRatio:
    """The ratio of a signal type elsewhere, `key` being the type's name."""

    key: str
    enabled_ratio: float


class TransferredRatios:
    """Ratios that were transferred."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, ratios: Iterable[TransferredRatio], refuse: Refuse, *, overwrite: bool) -> int:
        """Give signal types their ratios; how many were written."""
        written = 0
        with self._database.writing() as session:
            for ratio in ratios:
                verdict = _keep(session, ratio, overwrite=overwrite)
                written += count_written(f"signal type {ratio.key}", verdict, refuse)
        return written

    def delete_others(self, kept: Collection[str], refuse: Refuse) -> int:
        """Forget those that were transferred and whose type is none of `kept`; how many."""
        with self._database.writing() as session:
            return delete_others(session, "signal_type", kept, refuse, _delete)


def _keep(session: Session, ratio: TransferredRatio, *, overwrite: bool) -> Verdict:
    """Give a signal type the ratio that it has there."""
    origin = read_origin(session, "signal_type", ratio.key)
    row = session.get(SignalTypeOverrideRow, ratio.key)
    same = row is not None and row.enabled_ratio == ratio.enabled_ratio
    if is_unchanged(origin, ratio) and (same or not overwrite):
        return "same" if same else "changed here"
    write_ratio(session, ratio.key, ratio.enabled_ratio)
    write_origin(session, "signal_type", ratio, 0)
    return "written"


def _delete(session: Session, key: str) -> None:
    """Forget the ratio of a signal type that has none there any more."""
    gone = delete(SignalTypeOverrideRow).where(col(SignalTypeOverrideRow.name) == key)
    session.connection().execute(gone)
    mark_all(session, [(key, BANKS)])
    delete_origin(session, "signal_type", key)
