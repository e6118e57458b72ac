"""What searching one layer's signals finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.index.layers.arrays import Buffer
from core.index.layers.packed import Packed


@dataclass(frozen=True)
class Hits:
    """Rows that match, in any order, each once.

    Attributes:
        rows: integers, shape (n,).
        distances: numbers, shape (n,); smaller is nearer, 0 where the type has no distance.
        texts: the n distances as answers print them.
    """

    rows: NDArray[np.integer[Any]]
    distances: NDArray[np.number[Any]]
    texts: Sequence[str]

    @classmethod
    def without_distance(cls, rows: NDArray[np.integer[Any]]) -> "Hits":
        return cls(rows, np.zeros(len(rows)), ["-"] * len(rows))

    @classmethod
    def with_bits(
        cls, rows: NDArray[np.integer[Any]], distances: NDArray[np.integer[Any]]
    ) -> "Hits":
        return cls(rows, distances, _Printed(distances))


class _Printed(Sequence[str]):
    """Distances in bits as text, each when it is asked for: of many hits few are answered."""

    def __init__(self, distances: NDArray[np.integer[Any]]) -> None:
        self._distances = distances

    def __len__(self) -> int:
        return len(self._distances)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return _Printed(self._distances[at])
        return str(int(self._distances[at]))


class Signals(Protocol):
    """The signals of one layer, opened for search: an implementation for each kind."""

    @property
    def packed(self) -> Packed:
        """The signals themselves, by row."""
        ...

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:
        """For each validated signal every row that matches; `threshold` where there are bits."""
        ...


@runtime_checkable
class SearchedByPostings(Protocol):
    """Signals that are searched sooner once they have postings, and are scanned until then."""

    @property
    def has_postings(self) -> bool: ...

    def add_postings(self, source: Buffer) -> None:
        """From now on read candidates instead of all rows; a running search is not disturbed."""
        ...
