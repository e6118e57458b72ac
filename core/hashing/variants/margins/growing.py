"""Rectangles with something all over them: pictures on a page, in a chat or in a window.

A rectangle grows from where there is something all around, until the line past each of its sides is
empty, whatever the page has further away.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.hashing.variants.margins.bands import BandReading, peel
from core.hashing.variants.margins.box import Box, Levels, Part, is_large_enough
from core.hashing.variants.margins.sharpen import sharpen

CELL = 8
"""Pixels, of a picture at half its size, along a side of what is told to be empty or not."""

SEEDS = 4
"""Places that rectangles grow from, at most, in each reading of what is empty."""


def find_grown(levels: Levels) -> Iterator[Part]:
    """Rectangles with something all over them, each also without its bands and at full width."""
    _height, width = levels.shape
    half = np.asarray(Image.fromarray(levels).reduce(2))
    if min(half.shape) < 4 * CELL:
        return
    across = np.ascontiguousarray(half.T)
    cells = _find_busy_cells(half)
    first = _find_square(cells)
    done: list[Box] = []
    for emptiness in (_tell_empty_by_spread, _tell_empty_by_change):
        empty_columns, empty_rows = emptiness(half), emptiness(across)
        busy = cells.copy()
        for number in range(SEEDS):
            seed = _find_square(busy) if number else first
            if seed is None:
                break
            left, top, right, bottom = _grow_box(seed, empty_columns, empty_rows)
            busy[top // CELL : -(-bottom // CELL), left // CELL : -(-right // CELL)] = False
            box = Box(2 * left, 2 * top, 2 * right, 2 * bottom)
            whole = (right - left) * (bottom - top) > 0.98 * half.size
            if whole or not is_large_enough(box, levels) or box in done:
                continue
            done.append(box)
            inside = (peel(levels, box, reading) for reading in _INSIDE)
            for guess in (box, *inside, box._replace(left=0, right=width)):
                if is_large_enough(guess, levels):
                    yield sharpen(levels, guess)


_INSIDE = tuple(BandReading(sides, 1, 16, 0.5) for sides in ("tb", "ltrb"))
"""Bands of a window or a bubble that a rectangle has grown over."""

Emptiness = Callable[[int, int], NDArray[np.bool_]]
"""Which columns are empty between two rows."""


def _tell_empty_by_spread(levels: Levels) -> Emptiness:
    """A column is empty if its levels deviate from their mean by less than 4."""
    sums, squares = _accumulate_rows(levels), _accumulate_rows(levels**2)

    def empty(start: int, stop: int) -> NDArray[np.bool_]:
        count = stop - start
        mean = (sums[stop] - sums[start]) / count
        variance = (squares[stop] - squares[start]) / count - mean**2
        is_empty: NDArray[np.bool_] = variance <= 4**2
        return is_empty

    return empty


def _tell_empty_by_change(levels: Levels) -> Emptiness:
    """A column is empty if neighbours in it differ by less than 1.5, as in a slow gradient."""
    squares = _accumulate_rows(np.diff(levels, axis=0, prepend=levels[:1]) ** 2)

    def empty(start: int, stop: int) -> NDArray[np.bool_]:
        count = max(stop - start - 1, 1)
        is_empty: NDArray[np.bool_] = (squares[stop] - squares[start + 1]) / count <= 1.5**2
        return is_empty

    return empty


def _accumulate_rows(levels: Levels) -> NDArray[np.float64]:
    total = np.zeros((len(levels) + 1, levels.shape[1]), np.float64)
    np.cumsum(levels, axis=0, out=total[1:])
    return total


def _find_busy_cells(levels: Levels) -> NDArray[np.bool_]:
    """Which cells have something in them."""
    height, width = (side // CELL for side in levels.shape)
    cells = levels[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL)
    busy: NDArray[np.bool_] = np.ptp(cells, axis=(1, 3)) > 6
    return busy


def _find_square(busy: NDArray[np.bool_]) -> Box | None:
    """A square in the middle of the largest one that is busy all over, in pixels, if any is."""
    left, last, depth = busy, busy, 0
    while left.any() and depth < min(busy.shape):
        last, depth = left, depth + 1
        wide = np.pad(left, 1, mode="edge")
        tall = wide[:-2] & wide[1:-1] & wide[2:]
        left = tall[:, :-2] & tall[:, 1:-1] & tall[:, 2:]
    if depth < 2:
        return None
    places = np.argwhere(last)
    row, column = places[len(places) // 2].tolist()
    reach = depth // 2
    height, width = busy.shape
    return Box(
        CELL * max(0, column + 1 - reach),
        CELL * max(0, row + 1 - reach),
        CELL * min(width, column + reach),
        CELL * min(height, row + reach),
    )


def _grow_box(box: Box, empty_columns: Emptiness, empty_rows: Emptiness) -> Box:
    """`box` grown until the line past each of its sides is empty, or the picture ends."""
    for _ in range(12):
        left, right = _find_empty_lines(empty_columns(box.top, box.bottom), box.left, box.right)
        top, bottom = _find_empty_lines(empty_rows(left, right), box.top, box.bottom)
        before, box = box, Box(left, top, right, bottom)
        if box == before:
            break
    return box


def _find_empty_lines(empty: NDArray[np.bool_], start: int, stop: int) -> tuple[int, int]:
    """Where a side at `start` and one at `stop` get to, until what is past them is empty."""
    before, after = np.flatnonzero(empty[:start]), np.flatnonzero(empty[stop:])
    return (
        int(before[-1]) + 1 if len(before) else 0,
        stop + int(after[0]) if len(after) else len(empty),
    )
