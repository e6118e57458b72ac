"""Signal types that were given another share of lookups than all of them."""

from collections.abc import Collection

from sqlalchemy import distinct, func, literal
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.database import Database, upsert
from core.catalog.marks import mark_all
from core.catalog.models import NAME_LENGTH, SignalRow, SignalTypeOverrideRow
from core.errors import BadInput
from core.index.entry import BANKS


class SignalTypeRatios:
    """The ratios of signal types, by name. Which types there are, the catalog does not know."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ratios(self) -> dict[str, float]:
        """The ratio of each signal type that was given one."""
        with self._database.reading() as session:
            rows = session.exec(select(SignalTypeOverrideRow))
            return {row.name: row.enabled_ratio for row in rows}

    def ratio(self, signal_type: str) -> float:
        """Of all lookups of this type the share that is answered; 0 where it is switched off."""
        return self.ratios().get(signal_type, 1.0)

    def set_ratio(self, signal_type: str, ratio: float) -> None:
        """Give a signal type a ratio, and mark its index, which has to say so.

        Raises:
            BadInput: it is no share.
        """
        with self._database.writing() as session:
            write_ratio(session, signal_type, ratio)

    def count_contents(self, signal_type: str) -> int:
        """How many contents have signals of this type."""
        contents = select_columns(func.count(distinct(col(SignalRow.content_id)))).where(
            col(SignalRow.signal_type) == signal_type
        )
        with self._database.reading() as session:
            return int(session.connection().execute(contents).scalar_one())


def write_ratio(session: Session, signal_type: str, ratio: float) -> None:
    """As `SignalTypeRatios.set_ratio`, in a transaction that does more than that."""
    if not 0 <= ratio <= 1:
        raise BadInput("enabled_ratio must be between 0 and 1")
    insert = upsert(session, SignalTypeOverrideRow).values(
        name=signal_type[:NAME_LENGTH], enabled_ratio=literal(ratio)
    )
    session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["name"], set_={"enabled_ratio": insert.excluded.enabled_ratio}
        )
    )
    mark_all(session, [(signal_type, BANKS)])


def read_switched_off(session: Session) -> frozenset[str]:
    """The signal types whose ratio is 0: nothing of them is hashed, matched or banked."""
    off = select(SignalTypeOverrideRow.name).where(SignalTypeOverrideRow.enabled_ratio == 0)
    return frozenset(session.exec(off))


def check_switched_on(session: Session, signal_types: Collection[str]) -> None:
    """Raises BadInput if one of them is switched off.

    A type that is switched off while a content of it is being made may still get that one: it is
    as if it had been made just before, and what is banked of such a type stays.
    """
    switched_off = read_switched_off(session)
    for name in signal_types:
        if name in switched_off:
            raise BadInput(f"No such signal type {name}")
