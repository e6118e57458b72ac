"""Credentials of exchange APIs, as whoever sealed them handed them over. Knows no secret."""

from sqlmodel import Session

from core.catalog.database import upsert
from core.catalog.models import CredentialRow


def read(session: Session, api: str) -> str | None:
    """What was stored for `api`, or None."""
    row = session.get(CredentialRow, api)
    return None if row is None else row.sealed


def write(session: Session, api: str, sealed: str | None) -> None:
    """Store it instead of what there is; None deletes that."""
    if sealed is None:
        row = session.get(CredentialRow, api)
        if row is not None:
            session.delete(row)
        return
    insert = upsert(session, CredentialRow).values(api=api, sealed=sealed)
    session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["api"], set_={"sealed": insert.excluded.sealed}
        )
    )
