"""How many may publish: any number where creating a snapshot is atomic, else exactly one."""

import uuid

from core.errors import SeveralWriters
from core.index.source import CatalogSource
from core.settings import Settings
from core.store import ObjectStore, honours_create

LEASE_SECONDS = 60.0


class Writers:
    """Whether this process may publish at all: on stores that ignore create-if-absent one may."""

    def __init__(self, source: CatalogSource, store: ObjectStore, settings: Settings) -> None:
        self._source = source
        self._store = store
        self._settings = settings
        self._id = uuid.uuid4().hex
        self._atomic: bool | None = None

    def check(self) -> None:
        """Raises SeveralWriters where two publishers could overwrite each other."""
        if self._atomic is None:
            self._atomic = honours_create(self._store)
        if self._atomic:
            return
        if not self._settings.single_writer:
            raise SeveralWriters(
                "this object store ignores create-if-absent, so two publishers would overwrite "
                "each other: use another store, or run exactly one publisher and set "
                "HMA_SINGLE_WRITER=true"
            )
        if not self._source.lease("publisher", self._id, LEASE_SECONDS):
            raise SeveralWriters(
                "another publisher is at work, and this object store ignores create-if-absent: "
                f"stop one of them, then wait {LEASE_SECONDS:.0f} s"
            )
