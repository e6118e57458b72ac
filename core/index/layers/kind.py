"""A kind of layer: all that differs between signals that are searched in different ways.

Contents and layers are the same whatever their signals are. So nothing above asks which kind a
layer has; what depends on it is asked of the kind. `core.index.layers.kinds` lists all there are.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.signal_base import SignalType

from core.index.layers.arrays import Buffer, Rows
from core.index.layers.hits import Signals
from core.index.layers.packed import Packed

P = TypeVar("P", bound=Packed)


class LayerKind(Protocol[P]):
    """How signals are packed (as a `P`), sorted, stored and searched. Without state."""

    @property
    def name(self) -> str:
        """What segments of this kind say in the store: it never changes."""
        ...

    def pack(self, signals: Sequence[str]) -> P:
        """Validated signals, one a row."""
        ...

    def order(self, packed: P, owners: Rows) -> Rows:
        """The rows in the order in which they are stored.

        Args:
            owners: the position of each row's content, shape (rows,).
        """
        ...

    def files(self, packed: P) -> dict[str, bytes]:
        """The files of a layer of these signals, sorted as `order` says, but for postings."""
        ...

    def codes(self, packed: P) -> NDArray[np.uint8] | None:
        """The codes that a large layer lists in postings, shape (n, 32); None if it has none.

        Signals that are opened from a layer with postings are `SearchedByPostings`.
        """
        ...

    def open(self, files: Mapping[str, Buffer], signal_type: type[SignalType]) -> Signals:
        """What `files` wrote, ready to be searched.

        Args:
            signal_type: whose signals they are, for kinds that only the type itself can search.
        """
        ...


def order_by_content(owners: Rows) -> NDArray[np.int64]:
    """The order of most kinds: rows follow their contents."""
    return np.argsort(owners, kind="stable")
