"""Arrays as files: little-endian, without a header, mapped rather than read."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Buffer = Path | bytes
"""A file of a segment: on disk (it is mapped), or in memory (the tail of a snapshot)."""


def array(source: Buffer, dtype: str) -> NDArray[Any]:
    """A read-only one-dimensional array over `source`, copying nothing."""
    if isinstance(source, bytes):
        return np.frombuffer(source, dtype)
    if source.stat().st_size == 0:  # an empty file cannot be mapped
        return np.empty(0, dtype)
    return np.memmap(source, dtype, mode="r")


def array_bytes(values: Sequence[int] | NDArray[Any], dtype: str) -> bytes:
    return np.asarray(values, dtype).tobytes()


class Texts:
    """Byte strings by row: one blob, and the offset where each begins."""

    def __init__(self, blob: Buffer, offsets: Buffer) -> None:
        self._blob = array(blob, "u1")
        self._offsets = array(offsets, "<u8")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> bytes:
        return self._blob[int(self._offsets[row]) : int(self._offsets[row + 1])].tobytes()

    @staticmethod
    def encode(texts: Iterable[bytes]) -> tuple[bytes, bytes]:
        """`(blob, offsets)`, as the constructor takes them."""
        parts = list(texts)
        ends = np.cumsum([0] + [len(part) for part in parts], dtype="<u8")
        return b"".join(parts), ends.tobytes()
