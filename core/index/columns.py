"""Columns of a segment: little-endian arrays without a header, mapped rather than read.

The three ways in which signals are packed (`Codes`, `Digests`, `Texts`) share one small
interface, so that layers are merged by whole columns and not signal by signal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Buffer = Path | bytes
"""A file of a segment: on disk (it is mapped), or in memory (the tail of a snapshot)."""

Rows = NDArray[np.integer[Any]]


def array(source: Buffer, dtype: str, offset: int = 0) -> NDArray[Any]:
    """A read-only one-dimensional array over `source` from byte `offset`, copying nothing."""
    if isinstance(source, bytes):
        return np.frombuffer(source, dtype, offset=offset)
    if source.stat().st_size == offset:  # nothing cannot be mapped
        return np.empty(0, dtype)
    return np.memmap(source, dtype, mode="r", offset=offset)


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
    """Texts as one blob of UTF-8, and the offset in it where each begins (uint64, rows + 1)."""

    blob: NDArray[np.uint8]
    offsets: NDArray[np.uint64]

    @classmethod
    def pack(cls, texts: Iterable[str]) -> "Texts":
        parts = [text.encode() for text in texts]
        ends = np.cumsum([0] + [len(part) for part in parts], dtype=np.uint64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), ends)

    @classmethod
    def open(cls, files: Mapping[str, Buffer], name: str) -> "Texts":
        return cls(array(files[name], "u1"), array(files[f"{name}_offsets"], "<u8"))

    def files(self, name: str) -> dict[str, bytes]:
        return {name: self.blob.tobytes(), f"{name}_offsets": self.offsets.tobytes()}

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return bytes(self.blob[int(self.offsets[row]) : int(self.offsets[row + 1])]).decode()

    def take(self, rows: Rows) -> "Texts":
        starts = self.offsets[:-1][rows]
        lengths = self.offsets[1:][rows] - starts
        ends = np.concatenate([np.zeros(1, np.uint64), np.cumsum(lengths, dtype=np.uint64)])
        return Texts(self.blob[ranges(starts, lengths)], ends)

    @classmethod
    def concat(cls, parts: Sequence["Texts"]) -> "Texts":
        ends, length = [np.zeros(1, np.uint64)], np.uint64(0)
        for part in parts:
            ends.append(part.offsets[1:] + length)
            length += part.offsets[-1]
        return cls(np.concatenate([part.blob for part in parts]), np.concatenate(ends))


def ranges(starts: Rows, lengths: Rows) -> NDArray[np.int64]:
    """`[starts[0], starts[0] + 1, …, starts[1], …]`: `lengths[i]` numbers from each start."""
    lengths = lengths.astype(np.int64)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    shifts: NDArray[np.int64] = np.repeat(starts.astype(np.int64) - (ends - lengths), lengths)
    shifts += np.arange(total)
    return shifts
