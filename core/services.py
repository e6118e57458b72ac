"""What a function works with, each part made when it is first asked for.

One `Services` per process. Nothing is opened when it is built: functions-framework imports a
target before it forks, and clients, threads and indices must not be inherited by a child.
"""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from core.errors import Misconfigured
from core.settings import Settings

if TYPE_CHECKING:
    from core.catalog import Catalog
    from core.exchanges.client import Connector
    from core.exchanges.credentials import Credentials
    from core.exchanges.fetch import Fetcher
    from core.exchanges.opinion import OpinionSender
    from core.exchanges.registry import ExchangeApis
    from core.index.publishing.publish import Publisher
    from core.index.reading.lookup_index import LookupIndex
    from core.index.reading.read import Index
    from core.signal_types.enabled import SignalTypes
    from core.store import ObjectStore

T = TypeVar("T")


class part(Generic[T]):  # noqa: N801  # reads as what it is: a decorator
    """A method of which an instance keeps what the first call returned.

    However many threads ask at once, it is called once: `functools.cached_property` has no lock
    since Python 3.12, and four requests then loaded four indices. Each part has a lock of its
    own, so that a database that does not answer holds up nobody who needs the store alone. Parts
    need one another in no circle, so neither do their locks.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, instance: object, owner: type[Any]) -> T:
        kept = vars(instance)  # once the part is there, Python finds it without asking us
        with kept.setdefault(f"_making_{self._name}", threading.RLock()):
            if self._name not in kept:
                kept[self._name] = self._make(instance)
            return cast(T, kept[self._name])


class Services:
    """The parts of one deployment. Imports stand inside, so that an image needs only its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @part
    def signal_types(self) -> "SignalTypes":
        from core.signal_types.enabled import SignalTypes

        return SignalTypes.from_settings(self.settings)

    @part
    def store(self) -> "ObjectStore":
        from core.store import open_store

        if self.settings.store_url is None:
            raise Misconfigured(
                "HMA_STORE_URL is not set: where is the index? s3://… or file://…; a router has "
                "HMA_SHARDS instead"
            )
        return open_store(self.settings)

    @part
    def index(self) -> "Index":
        """The documented per-process index cache: one loaded snapshot for each signal type."""
        from core.index.reading.read import Index

        return Index(self.store, self.signal_types, self.settings)

    @part
    def lookup_index(self) -> "LookupIndex":
        """The index that lookups ask: shards elsewhere if the settings name some, else our own."""
        if not self.settings.shards:
            return self.index
        from core.index.reading.sharded import ShardedIndex

        return ShardedIndex(self.settings)

    @property
    def lookup_index_if_any(self) -> "LookupIndex | None":
        """`lookup_index`; None for a function that has none, such as a `hash` that stands alone."""
        settings = self.settings
        return self.lookup_index if settings.store_url or settings.shards else None

    @part
    def catalog(self) -> "Catalog":
        from core.catalog import Catalog

        if self.settings.database_url is None:
            raise Misconfigured("HMA_DATABASE_URL is not set: where is the catalog? sqlite:///…")
        catalog = Catalog(self.settings.database_url)
        catalog.migrate()  # a function that runs alone has nobody else to do it
        return catalog

    @part
    def exchange_apis(self) -> "ExchangeApis":
        from core.exchanges.registry import ExchangeApis

        return ExchangeApis.from_settings(self.settings)

    @part
    def credentials(self) -> "Credentials":
        from core.exchanges.credentials import Credentials

        return Credentials(
            self.catalog.credentials, self.exchange_apis, self.settings.credentials_key
        )

    @part
    def connector(self) -> "Connector":
        from core.exchanges.client import Connector

        return Connector(self.exchange_apis, self.credentials)

    @part
    def publisher(self) -> "Publisher":
        from core.index.publishing.publish import Publisher

        return Publisher(self.catalog.source, self.store, self.signal_types, self.settings)

    def publish(self, signal_type: str) -> int:
        """The snapshot with all that is committed, which lookups of this process then look for.

        Raises: as `Publisher.publish`.
        """
        number = self.publisher.publish(signal_type)
        self.expect_snapshots({signal_type: number})
        return number

    def expect_snapshots(self, numbers: Mapping[str, int]) -> None:
        """Let the index of this process, if it has one, look for what was just published."""
        index = cast("Index | None", vars(self).get("index"))
        if index is not None:
            index.expect(numbers)

    @part
    def fetcher(self) -> "Fetcher":
        from core.exchanges.fetch import Fetcher

        # `publish` makes a publisher late: a fetch needs no store until then.
        return Fetcher(self.catalog, self.connector, self.signal_types, self.publish)

    @part
    def opinion_sender(self) -> "OpinionSender":
        from core.exchanges.opinion import OpinionSender

        return OpinionSender(self.catalog, self.connector)
