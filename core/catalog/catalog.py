"""The catalog: all nouns of one database together."""

from copy import copy
from typing import Self

from core.catalog.bank import Banks
from core.catalog.content.content import Contents
from core.catalog.database import Database
from core.catalog.entries import Entries
from core.catalog.exchange.credential import SealedCredentials
from core.catalog.exchange.exchange import Exchanges
from core.catalog.exchange.fetch_progress import FetchProgress
from core.catalog.exchange.opinion import Opinions
from core.catalog.exchange.record import Records
from core.catalog.index_source import IndexSource
from core.catalog.lease import Leases
from core.catalog.marks import Marks
from core.catalog.migrate import migrate
from core.catalog.signal_type import SignalTypeRatios
from core.catalog.transfer.transfer import Transfer


class Catalog:
    """Banks, their content, and what exchanges say, in one SQL database.

    Every change is one transaction, which also marks what an index must learn of it. Safe for
    use by many threads, and by children that a process forks after it was made.

    Args:
        url: `sqlite:////path/to/file.db` or `postgresql://user:password@host/name`.

    Attributes:
        banks, contents, signal_types: what is banked, and in which share of lookups it takes part.
        exchanges, progress, records, opinions, credentials: what is kept of exchanges.
        marks, entries, leases: what publishers work with; `source` is all of that in one.
        transfer: bulk reads and writes, for what comes from elsewhere or goes there.

    Raises:
        Misconfigured: the URL is neither. Nothing is opened yet.

    Every method of these raises CatalogUnavailable when the database can't be reached. After that
    a change may have been made nevertheless, if the answer to its commit was what got lost.
    """

    def __init__(self, url: str) -> None:
        self._compose(Database(url))

    def acting_as(self, actor: str) -> Self:
        """The same catalog, by the same connections, in which the person `actor` acts.

        The name reaches every transaction that writes (see `Database`). Nothing is kept of it yet:
        the audit trail will read it there.
        """
        other = copy(self)
        other._compose(self._database.acting_as(actor))
        return other

    def migrate(self) -> None:
        """Bring the tables to what this version needs. Safe to repeat, and at once with others."""
        migrate(self._database)

    def close(self) -> None:
        """Close this process's idle connections; the catalog can still be used."""
        self._database.close()

    def _compose(self, database: Database) -> None:
        self._database = database
        self.banks = Banks(database)
        self.contents = Contents(database)
        self.signal_types = SignalTypeRatios(database)
        self.exchanges = Exchanges(database)
        self.progress = FetchProgress(database)
        self.records = Records(database)
        self.opinions = Opinions(database)
        self.credentials = SealedCredentials(database)
        self.marks = Marks(database)
        self.entries = Entries(database)
        self.leases = Leases(database)
        self.source = IndexSource(
            self.banks, self.signal_types, self.marks, self.entries, self.leases
        )
        self.transfer = Transfer(database)
