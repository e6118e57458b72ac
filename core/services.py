"""What a function works with, each part made when it is first asked for.

One `Services` per process. Nothing is opened when it is built: functions-framework imports a
target before it forks, and clients, threads and indices must not be inherited by a child.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from core.errors import Misconfigured
from core.settings import Settings

if TYPE_CHECKING:
    from core.catalog import Catalog
    from core.exchanges.credentials import Credentials
    from core.exchanges.registry import Exchanges
    from core.index.publishing.publish import Publisher
    from core.index.reading.lookup_index import LookupIndex
    from core.index.reading.read import Index
    from core.signal_types.enabled import SignalTypes
    from core.store import ObjectStore


class Services:
    """The parts of one deployment. Imports stand inside, so that an image needs only its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def signal_types(self) -> "SignalTypes":
        from core.signal_types.enabled import SignalTypes

        return SignalTypes.from_settings(self.settings)

    @cached_property
    def store(self) -> "ObjectStore":
        from core.store import open_store

        if self.settings.store_url is None:
            raise Misconfigured(
                "HMA_STORE_URL is not set: where is the index? s3://… or file://…; a router has "
                "HMA_SHARDS instead"
            )
        return open_store(self.settings)

    @cached_property
    def index(self) -> "Index":
        """The documented per-process index cache: one loaded snapshot for each signal type."""
        from core.index.reading.read import Index

        return Index(self.store, self.signal_types, self.settings)

    @cached_property
    def lookup_index(self) -> "LookupIndex":
        """The index that lookups ask: shards elsewhere if the settings name some, else our own."""
        if not self.settings.shards:
            return self.index
        from core.index.reading.sharded import ShardedIndex

        return ShardedIndex(self.settings)

    @cached_property
    def catalog(self) -> "Catalog":
        from core.catalog import Catalog

        if self.settings.database_url is None:
            raise Misconfigured("HMA_DATABASE_URL is not set: where is the catalog? sqlite:///…")
        catalog = Catalog(self.settings.database_url)
        catalog.migrate()  # a function that runs alone has nobody else to do it
        return catalog

    @cached_property
    def exchanges(self) -> "Exchanges":
        from core.exchanges.registry import Exchanges

        return Exchanges.from_settings(self.settings)

    @cached_property
    def credentials(self) -> "Credentials":
        from core.exchanges.credentials import Credentials

        return Credentials(self.catalog.exchanges, self.exchanges, self.settings)

    @cached_property
    def publisher(self) -> "Publisher":
        from core.index.publishing.publish import Publisher

        return Publisher(self.catalog, self.store, self.signal_types, self.settings)
