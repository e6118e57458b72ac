"""Signal types that were given another share of lookups than all of them."""

from sqlalchemy import distinct, func, literal
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.database import upsert
from core.catalog.marks import mark_all
from core.catalog.models import NAME_LENGTH, SignalRow, SignalTypeOverrideRow
from core.errors import BadInput
from core.index.entry import BANKS


def every(session: Session) -> dict[str, float]:
    """The ratio of each signal type that was given one."""
    return {row.name: row.enabled_ratio for row in session.exec(select(SignalTypeOverrideRow))}


def put(session: Session, name: str, ratio: float) -> None:
    """Give a signal type a ratio, and mark its index, which has to say so.

    Raises:
        BadInput: it is no share.
    """
    if not 0 <= ratio <= 1:
        raise BadInput("enabled_ratio must be between 0 and 1")
    insert = upsert(session, SignalTypeOverrideRow).values(
        name=name[:NAME_LENGTH], enabled_ratio=literal(ratio)
    )
    session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["name"], set_={"enabled_ratio": insert.excluded.enabled_ratio}
        )
    )
    mark_all(session, [(name, BANKS)])


def count_contents(session: Session, name: str) -> int:
    """How many contents have signals of this type."""
    return int(
        session.connection()
        .execute(
            select_columns(func.count(distinct(col(SignalRow.content_id)))).where(
                col(SignalRow.signal_type) == name
            )
        )
        .scalar_one()
    )
