"""Signals of any other type: kept as text, searched by the type's own code.

The type's index class is built from the text when a layer is opened, never loaded from the
store: its serialised form is a pickle. A type without an index class is scanned with
`compare_hash`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from threatexchange.signal_type.index import NO_DISTANCE_STR, SignalSimilarityInfo
from threatexchange.signal_type.signal_base import SignalType

from core.errors import Unavailable
from core.index.layers.arrays import Buffer, Rows
from core.index.layers.hits import Hits
from core.index.layers.kind import order_by_content
from core.index.layers.packed import Texts


class GenericKind:
    """Signals of which only their own type knows what they match."""

    name = "generic"

    def pack(self, signals: Sequence[str]) -> Texts:
        return Texts.pack(signals)

    def order(self, _packed: Texts, owners: Rows) -> Rows:
        return order_by_content(owners)

    def files(self, packed: Texts) -> dict[str, bytes]:
        return packed.files("signals")

    def codes(self, _packed: Texts) -> None:
        return None

    def open(self, files: Mapping[str, Buffer], signal_type: type[SignalType]) -> "GenericSignals":
        return GenericSignals(files, signal_type)


class GenericSignals:
    """The signals of one layer as text, and the signal type that knows how to compare them."""

    def __init__(self, files: Mapping[str, Buffer], signal_type: type[SignalType]) -> None:
        self.packed = Texts.open(files, "signals")
        self._type = signal_type
        self._find = self._finder()

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:  # noqa: ARG002
        """For each of `signals` all rows that the type itself says match.

        Raises:
            Unavailable: the type's own code failed, so that nobody knows.
        """
        return [self._hits(signal) for signal in signals]

    def _hits(self, signal: str) -> Hits:
        try:
            matches = self._find(signal)
        except Exception as error:
            raise Unavailable(f"{self._type.get_name()} could not search: {error}") from error
        return Hits(
            np.array([row for row, _ in matches], np.int64),
            np.array([_order(info) for _, info in matches], np.float64),
            [info.pretty_str() for _, info in matches],
        )

    def _finder(self) -> Callable[[str], list[tuple[int, SignalSimilarityInfo]]]:
        rows = range(len(self.packed))
        index_class = self._type.get_index_cls()
        if index_class is not None:
            index = index_class.build((self.packed[row], row) for row in rows)
            return lambda signal: [(m.metadata, m.similarity_info) for m in index.query(signal)]

        def scan(signal: str) -> list[tuple[int, SignalSimilarityInfo]]:
            results = ((row, self._type.compare_hash(self.packed[row], signal)) for row in rows)
            return [(row, result.distance) for row, result in results if result.match]

        return scan


def _order(info: SignalSimilarityInfo) -> float:
    """A number that sorts as the distances do, where they are numbers."""
    distance: Any = getattr(info, "distance", 0)
    return float(distance) if info.pretty_str() != NO_DISTANCE_STR else 0.0
