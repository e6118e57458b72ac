"""What searching one layer's signals finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.index.columns import Buffer


@dataclass(frozen=True)
class Hits:
    """Rows that match, in any order.

    Attributes:
        rows: int64, shape (n,).
        distances: float, shape (n,); smaller is nearer, 0 where the type has no distance.
        texts: the n distances as answers print them.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.floating[Any]]
    texts: Sequence[str]

    @classmethod
    def without_distance(cls, rows: NDArray[Any]) -> "Hits":
        return cls(rows.astype(np.int64), np.zeros(len(rows)), ["-"] * len(rows))


class Signals(Protocol):
    """The signals of one layer, one a row: one implementation for each kind of segment."""

    def __init__(self, files: Mapping[str, Buffer]) -> None: ...

    def search(self, signal: str, threshold: int) -> Hits:
        """Every row that matches the validated `signal`; `threshold` where distances are bits."""
        ...

    def __getitem__(self, row: int) -> str:
        """The signal of a row, as it was given."""
        ...
