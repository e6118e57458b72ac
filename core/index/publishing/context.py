"""What publishing the index of one signal type works with."""

from collections.abc import Callable
from dataclasses import dataclass

from core.index.objects.layout import Layout
from core.index.source import CatalogSource
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.store import ObjectStore


@dataclass(frozen=True)
class PublishContext:
    """Where the index of one signal type comes from and goes to, and by what rules.

    Attributes:
        layout: whose index it is, and where it lies in the store.
        clock: seconds since 1970.
    """

    layout: Layout
    source: CatalogSource
    store: ObjectStore
    signal_types: SignalTypes
    settings: Settings
    clock: Callable[[], float]

    @property
    def signal_type(self) -> str:
        return self.layout.signal_type
