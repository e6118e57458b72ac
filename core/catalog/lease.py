"""Leases: who may be the one writer of something, until when, by the database's clock."""

from typing import Any

from sqlalchemy import Double, cast, extract, func, or_
from sqlmodel import Session, col, select

from core.catalog.database import Database, upsert
from core.catalog.models import LeaseRow


class Leases:
    """All leases of one catalog, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew the lease `name` for `seconds` from now; 0 gives it back.

        Returns:
            Whether `holder` has it now. False: another holder's has not run out.
        """
        with self._database.writing() as session:
            return take_lease(session, name, holder, seconds)

    def holder(self, name: str) -> str | None:
        """Who has the lease `name` now, None if nobody has."""
        with self._database.reading() as session:
            held = col(LeaseRow.name) == name, col(LeaseRow.until) > _now(session)
            return session.exec(select(LeaseRow.holder).where(*held)).first()


def take_lease(session: Session, name: str, holder: str, seconds: float) -> bool:
    """As `Leases.take`, in the transaction of whatever the lease allows."""
    now = _now(session)
    insert = upsert(session, LeaseRow).values(name=name, holder=holder, until=now + seconds)
    taken = insert.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
        where=or_(LeaseRow.holder == insert.excluded.holder, LeaseRow.until <= now),
    ).returning(LeaseRow.name)
    return session.connection().execute(taken).first() is not None


def _now(session: Session) -> Any:
    """One clock for all hosts, read after the wait for the row and not when the wait began."""
    if session.get_bind().dialect.name == "sqlite":
        return (func.julianday("now") - 2440587.5) * 86400.0
    return cast(extract("epoch", func.clock_timestamp()), Double)
