"""R(n): smoothing and sampling along an axis of n lines, as a matrix, and its product with them.

A line is a row or a column of an image, of numbers of any meaning. Of the 64 rows of R(n) only what
is not zero is kept, which is about n/64 neighbouring columns.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Weights = tuple[tuple[int, Floats], ...]
"""For each row of R, the first column that counts, and the weights from there on."""

SAMPLES = 64
"""Samples along each axis."""

SLAB = 1 << 19
"""Numbers that are read from an image at once: they stay in the cache, and memory low."""


class Rows(Protocol):
    """An image that gives some of its rows at a time, as an array does.

    Rows are H x W x 3 of red, green and blue, or H x W of luma, in gray levels.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


def smooth_lines(
    lines: Rows, backwards: bool = False, full: int | None = None, keep: int = 1
) -> Floats:
    """R(n) `lines`, for n lines of any length; R(n) of the lines in reverse if `backwards`.

    No slice of them starts above the one before, so they need not be kept.

    Args:
        full: the n whose R it is where `lines` are fewer, since each `keep` of them are the lowest
            frequencies of a group of neighbours, the first of which is their mean.
    """
    length, width = lines.shape[0], math.prod(lines.shape[1:])
    weights = _fold_weights(full or length, length, keep, backwards)
    product = np.empty((SAMPLES, width), np.float32)
    for start, stop in _groups(weights, max(1, SLAB // width)):
        top, bottom = weights[start][0], weights[stop - 1][0] + len(weights[stop - 1][1])
        slab = lines[top:bottom].reshape(-1, width)
        for left in range(0, width, 4096):  # a block of floats fits the cache
            block = slice(left, left + 4096)
            for row, (first, shares) in zip(product[start:stop], weights[start:stop], strict=True):
                part = slab[first - top : first - top + len(shares), block]
                row[block] = shares @ part.astype(np.float32, copy=False)
    return product[::-1] if backwards else product


def _groups(weights: Weights, most: int) -> Iterator[tuple[int, int]]:
    """Rows of R that read at most so many neighbouring lines together, or one row alone."""
    start = 0
    for stop in range(1, SAMPLES + 1):
        if stop == SAMPLES or weights[stop][0] + len(weights[stop][1]) > weights[start][0] + most:
            yield start, stop
            start = stop


@functools.lru_cache(maxsize=64)
def smoothing(length: int) -> Weights:
    """The weights of an axis of `length` pixels: of each row of R(length), what is not zero."""
    first, last = windows(length)
    rows = []
    for centre in centres(length):
        middle = np.arange(first[centre], last[centre])  # what the second moving average reads
        reached = np.arange(first[middle[0]], last[middle[-1]])  # what the first one read for it
        inside = (first[middle, None] <= reached) & (reached < last[middle, None])
        share = inside / (last - first)[middle, None]
        rows.append((int(reached[0]), share.mean(axis=0).astype(np.float32)))
    return tuple(rows)


@functools.lru_cache(maxsize=64)
def _fold_weights(length: int, parts: int, keep: int, backwards: bool) -> Weights:
    """R(length) for the `keep` lowest frequencies of groups of neighbours, `parts` in all."""
    factor = -(-length * keep // parts)
    places = np.arange(factor) + 0.5
    cosines = np.cos(np.pi / factor * np.outer(places, np.arange(keep)))
    cosines[:, 1:] *= math.sqrt(2)
    weights = smoothing(length)
    if backwards:  # the last sample first, so that lines are still read in order
        weights = tuple((length - first - len(row), row[::-1]) for first, row in weights[::-1])
    rows = []
    for first, row in weights:
        start, ahead = divmod(first, factor)
        behind = -(ahead + len(row)) % factor
        folded = np.pad(row, (ahead, behind)).reshape(-1, factor) @ cosines
        rows.append((start * keep, folded.ravel().astype(np.float32)))
    return tuple(rows)


def window(length: int) -> tuple[int, int]:
    """How many neighbours a moving average reads, and how many of these do not come before it."""
    size = -(-length // (2 * SAMPLES))
    return size, (size + 2) // 2


def windows(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each place, the first one that its average reads and the one after the last."""
    size, ahead = window(length)
    last = np.arange(length) + ahead
    return np.maximum(last - size, 0), np.minimum(last, length)


def centres(length: float) -> NDArray[np.intp]:
    """The places whose averages are the samples, along so many lines or parts of one."""
    return ((np.arange(SAMPLES) + 0.5) * length / SAMPLES).astype(np.intp)
