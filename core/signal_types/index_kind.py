"""Which kind of index each signal type has. How an index of a kind works is for `core.index`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.signal_base import SignalType, TrivialSignalTypeIndex

from core.hashing.vpdq import DISTANCE
from core.signal_types.vpdq import VpdqSignal


@dataclass(frozen=True)
class IndexKind:
    """A kind of index, as far as it can be told from outside.

    Attributes:
        name: under which `core.index.layers.kinds` has it.
        quick: whether a lookup takes no longer than an event loop can wait for.
        threshold: the largest distance that matches, inclusive; 0 where distances are not bits.
        adjustable: whether a bank or a request may choose a stricter threshold.
    """

    name: str
    quick: bool = False
    threshold: int = 0
    adjustable: bool = False


PDQ_THRESHOLD = 31
"""Largest Hamming distance, inclusive, at which two PDQ hashes match."""

BINARY = IndexKind("binary", quick=True, threshold=PDQ_THRESHOLD, adjustable=True)
"""256 bits compared by Hamming distance."""

FRAMES = IndexKind("frames", threshold=DISTANCE)
"""Several of those each, the threshold being that of two frames."""

EXACT = IndexKind("exact", quick=True)
"""They match only what equals them."""

GENERIC = IndexKind("generic")
"""Only the type itself knows what they match."""

TYPES_WITH_A_KIND: Mapping[type[SignalType], IndexKind] = MappingProxyType(
    {PdqSignal: BINARY, VpdqSignal: FRAMES}
)
"""Types for which there is better than what their own code does."""


def index_kind(signal_type: type[SignalType]) -> IndexKind:
    """The kind of index that signals of this type have."""
    if signal_type in TYPES_WITH_A_KIND:
        return TYPES_WITH_A_KIND[signal_type]
    # The very class: one that inherits from it may well look things up in its own way.
    return EXACT if signal_type.get_index_cls() is TrivialSignalTypeIndex else GENERIC
