"""Signals of one layer as arrays, and texts as one blob.

Whatever way they are packed in, they share one small interface, so that layers are merged by
whole columns and not signal by signal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.index.layers.arrays import Buffer, Rows, array, integers, open_integers, ranges


class Packed(Protocol):
    """Signals of one layer, one a row, as they are stored."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> str:
        """The signal of a row as text."""
        ...

    def take(self, rows: Rows) -> Self:
        """The signals of `rows`, in that order."""
        ...

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """All of `parts`, one after the other."""
        ...


@dataclass(frozen=True)
class Codes:
    """Fixed-length bit strings: `bits` is uint8, shape (rows, bytes)."""

    bits: NDArray[np.uint8]

    @classmethod
    def pack(cls, signals: Sequence[str], width: int = 32) -> "Codes":
        """From hex digits, all of `width` bytes."""
        data = bytes.fromhex("".join(signals))
        return cls(np.frombuffer(data, np.uint8).reshape(-1, width))

    def __len__(self) -> int:
        return len(self.bits)

    def __getitem__(self, row: int) -> str:
        return bytes(self.bits[row]).hex()

    def take(self, rows: Rows) -> "Codes":
        return Codes(self.bits[rows])

    @classmethod
    def concat(cls, parts: Sequence["Codes"]) -> "Codes":
        return cls(np.concatenate([part.bits for part in parts]))


@dataclass(frozen=True)
class Texts:
    """Texts as one blob of UTF-8, and the offset in it where each begins (rows + 1 integers)."""

    blob: NDArray[np.uint8]
    offsets: NDArray[np.integer[Any]]

    @classmethod
    def pack(cls, texts: Iterable[str]) -> "Texts":
        parts = [text.encode() for text in texts]
        ends = np.cumsum([0] + [len(part) for part in parts], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), ends)

    @classmethod
    def open(cls, files: Mapping[str, Buffer], name: str) -> "Texts":
        return cls(array(files[name], "u1"), open_integers(files[f"{name}_offsets"]))

    def files(self, name: str) -> dict[str, bytes]:
        return {name: self.blob.tobytes(), f"{name}_offsets": integers(self.offsets)}

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return bytes(self.blob[int(self.offsets[row]) : int(self.offsets[row + 1])]).decode()

    def take(self, rows: Rows) -> "Texts":
        starts = self.offsets[:-1][rows]
        lengths = self.offsets[1:][rows] - starts
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        return Texts(self.blob[ranges(starts, lengths)], ends)

    @classmethod
    def concat(cls, parts: Sequence["Texts"]) -> "Texts":
        ends, length = [np.zeros(1, np.int64)], 0
        for part in parts:
            ends.append(part.offsets[1:].astype(np.int64) + length)
            length += int(part.offsets[-1])
        return cls(np.concatenate([part.blob for part in parts]), np.concatenate(ends))
