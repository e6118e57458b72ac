"""PDQ in the roundings of the reference code, for where they decide.

It computes the same as the matrix form: all values are 32-bit floats, and sums are taken one by
one in the order of the reference code (`np.add.accumulate` does not sum by pairs, as `sum` and `@`
may).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from core.hashing.pdq.matrix import LUMA, TRANSFORM, Pdq, Pixels, bits, quality_of
from core.hashing.pdq.smoothing import SAMPLES, SLAB, Floats, Rows, centres, window, windows

if TYPE_CHECKING:
    from core.hashing.pdq._running import sums as _sums
else:
    try:
        from core.hashing.pdq._running import sums as _sums
    except ImportError:  # there was no compiler when this was installed
        _sums = None

THOUSANDTHS = np.array([round(1000 * share) for share in LUMA], np.float32)


def by_definition(image: Rows) -> Pdq:
    """The PDQ of an image of bytes, 5 x 5 or larger, bit for bit."""
    samples = sample_rounded(image)
    return Pdq(bits(transform_rounded(samples)), _quality_rounded(samples))


def sample_rounded(image: Rows) -> Floats:
    """The samples by moving averages: across, down, across and down, a slab of rows at a time."""
    height, width = image.shape[:2]
    if height == width == SAMPLES:
        return luma(image[:])
    most = max(16, SLAB // (2 * width))  # of three colours each
    slabs = (image[top : top + most] for top in range(0, height, most))
    once = _average_columns((_average_rows(luma(slab)) for slab in slabs), height)
    across = np.concatenate([_average_rows(slab)[:, centres(width)] for slab in once])
    down = _average_rows(np.ascontiguousarray(across.T))
    return np.ascontiguousarray(down[:, centres(height)].T)


def luma(pixels: Pixels) -> Floats:
    """Luma rounded once: thousandths are whole numbers that 32 bits hold without rounding."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    thousandths: Floats = pixels.reshape(-1, 3).astype(np.float32) @ THOUSANDTHS
    thousandths /= np.float32(1000)
    return thousandths.reshape(pixels.shape[:2])


def _average_rows(rows: Floats) -> Floats:
    """Each number replaced by the average of those in its window: a running sum, divided."""
    width = rows.shape[1]
    totals = running_sums(rows, *window(width))
    first, last = windows(width)
    totals /= (last - first).astype(np.float32)
    return totals


def running_sums(rows: Floats, size: int, ahead: int) -> Floats:
    """For each number of each row the sum of those in its window, which is as `window` has it."""
    height, width = rows.shape
    if _sums is not None:
        totals: Floats = np.empty((height, width), np.float32)
        _sums(np.ascontiguousarray(rows), totals, width, size, ahead)
        return totals
    terms = np.zeros((height, width + ahead - 1, 2), np.float32)  # what enters, what leaves
    terms[:, :width, 0] = rows
    np.negative(rows[:, : width + ahead - 1 - size], out=terms[:, size:, 1])
    terms = terms.reshape(height, -1)
    np.add.accumulate(terms, axis=1, out=terms)
    return terms[:, 2 * ahead - 1 :: 2]


def _average_columns(slabs: Iterator[Floats], height: int) -> Iterator[Floats]:
    """As `_average_rows`, down the columns of an image that comes and goes a slab at a time."""
    size, ahead = window(height)
    first, last = windows(height)
    counts: Floats = (last - first).astype(np.float32)
    inside: deque[Floats] = deque()
    total: Floats = np.zeros(1, np.float32)
    place = 1 - ahead
    for slab in chain(slabs, (None,)):
        entering: Iterable[Floats | None] = repeat(None, ahead - 1) if slab is None else slab
        averaged = []
        for row in entering:
            if row is not None:
                total = total + row
                inside.append(row)
            if place + ahead > size:
                total = total - inside.popleft()
            if place >= 0:
                averaged.append(total / counts[place])
            place += 1
        if averaged:
            yield np.stack(averaged)


def transform_rounded(samples: Floats) -> Floats:
    """The 16 x 16 coefficients of 64 x 64 samples."""
    matrix = TRANSFORM.astype(np.float32)
    half: Floats = np.add.accumulate(matrix[:, :, None] * samples, axis=1)
    whole: Floats = np.add.accumulate(half[:, None, -1] * matrix, axis=2)
    return whole[:, :, -1]


def _quality_rounded(samples: Floats) -> int:
    steps = (np.diff(samples, axis=axis) * np.float32(100) / np.float32(255) for axis in (0, 1))
    return quality_of(sum(int(np.abs(step.astype(int)).sum()) for step in steps))
