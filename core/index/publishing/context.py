"""What publishing the index of one signal type works with."""

from collections.abc import Callable
from dataclasses import dataclass

from core.index.entry import Source
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.store import ObjectStore


@dataclass(frozen=True)
class Means:
    """Where the index of `signal_type` comes from and goes to, and by what rules.

    Attributes:
        clock: seconds since 1970.
    """

    signal_type: str
    source: Source
    store: ObjectStore
    signal_types: SignalTypes
    settings: Settings
    clock: Callable[[], float]
