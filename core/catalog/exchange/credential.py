"""Credentials of exchange APIs, as whoever sealed them handed them over. Knows no secret."""

from core.catalog.database import Database, upsert
from core.catalog.models import CredentialRow


class SealedCredentials:
    """What each API is asked with, sealed or not, by the API's name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, api: str) -> str | None:
        """What was stored for `api`, or None."""
        with self._database.reading() as session:
            row = session.get(CredentialRow, api)
            return None if row is None else row.sealed

    def put(self, api: str, sealed: str) -> None:
        """Store it for `api` instead of what there is."""
        with self._database.writing() as session:
            insert = upsert(session, CredentialRow).values(api=api, sealed=sealed)
            session.connection().execute(
                insert.on_conflict_do_update(
                    index_elements=["api"], set_={"sealed": insert.excluded.sealed}
                )
            )

    def delete(self, api: str) -> None:
        """Forget what was stored for `api`; nothing happens when there is none."""
        with self._database.writing() as session:
            row = session.get(CredentialRow, api)
            if row is not None:
                session.delete(row)
