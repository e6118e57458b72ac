"""Columns of a segment: arrays in files, mapped rather than read.

What is searched is raw (codes as FAISS writes them, digests, postings). The integers that describe
contents are `.npy` files of the narrowest type that holds them all: of ten million contents, which
lie in few banks and of which few have a note, those are a third of what int64 would take.

The three ways in which signals are packed (`Codes`, `Digests`, `Texts`) share one small
interface, so that layers are merged by whole columns and not signal by signal.
"""

import io
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
    # As a plain array: every slice of a `memmap` costs microseconds.
    return np.memmap(source, dtype, mode="r", offset=offset).view(np.ndarray)


def integers(values: NDArray[np.integer[Any]]) -> bytes:
    """A `.npy` file of integers that fit int64, in the narrowest of uint8, 16, 32 and int64."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    fitting = (kind for kind in ("u1", "<u2", "<u4") if low >= 0 and high <= np.iinfo(kind).max)
    file = io.BytesIO()
    np.save(file, values.astype(next(fitting, "<i8")), allow_pickle=False)
    return file.getvalue()


def open_integers(source: Buffer) -> NDArray[np.integer[Any]]:
    """What `integers` wrote, mapped, of whichever type it has there.

    Raises:
        ValueError: it is no such file.
    """
    values: NDArray[np.integer[Any]] = (
        np.load(io.BytesIO(source), allow_pickle=False)
        if isinstance(source, bytes)
        else np.load(source, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    )
    return values


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


def ranges(starts: Rows, lengths: Rows) -> NDArray[np.int64]:
    """`[starts[0], starts[0] + 1, …, starts[1], …]`: `lengths[i]` numbers from each start."""
    counts: NDArray[np.int64] = lengths.astype(np.int64, copy=False)
    ends: NDArray[np.int64] = counts.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    firsts: NDArray[np.int64] = starts.astype(np.int64, copy=False)
    shifts: NDArray[np.int64] = (firsts - (ends - counts)).repeat(counts)
    shifts += np.arange(total)
    return shifts
