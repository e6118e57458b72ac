"""Arrays in the files of a segment, mapped rather than read.

What is searched is raw (codes as FAISS writes them, digests, postings). The integers that describe
contents are `.npy` files of the narrowest type that holds them all: of ten million contents, which
lie in few banks and of which few have a note, those are a third of what int64 would take.
"""

import io
from pathlib import Path
from typing import Any

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


def ranges(starts: Rows, lengths: Rows) -> NDArray[np.int64]:
    """`[starts[0], starts[0] + 1, …, starts[1], …]`: `lengths[i]` numbers from each start."""
    counts: NDArray[np.int64] = lengths.astype(np.int64, copy=False)
    ends: NDArray[np.int64] = counts.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    firsts: NDArray[np.int64] = starts.astype(np.int64, copy=False)
    shifts: NDArray[np.int64] = (firsts - (ends - counts)).repeat(counts)
    shifts += np.arange(total)
    return shifts
