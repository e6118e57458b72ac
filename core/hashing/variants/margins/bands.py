"""Margins of one colour: bands along the edges, behind the last line that is all of that colour.

A strict reading stops at a sky that is nearly so, a lax one passes noise; a screenshot has several
such bands behind each other, and where only some sides have a margin, the others must stay.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.hashing.variants.margins.box import Box, Levels, is_large_enough


class BandReading(NamedTuple):
    """How margins of one colour are told.

    Attributes:
        sides: where they are looked for: left, top, right, bottom.
        rounds: how many bands may lie behind each other.
        tolerance: gray levels from the edge's colour that are still this colour.
        least: the share of a line that has to have it.
    """

    sides: str
    rounds: int
    tolerance: float
    least: float


_BAND_READINGS = (
    *(BandReading(sides, 1, 5, 0.9) for sides in ("ltrb", "tb", "lr")),
    *(BandReading(sides, 4, 16, 0.5) for sides in ("ltrb", "tb")),
    BandReading("lr", 2, 16, 0.5),
    *(BandReading(side, 1, 16, 0.5) for side in "tblr"),
)


def find_inside_bands(levels: Levels) -> Iterator[Box]:
    """What is left behind one band after the other, in each reading."""
    height, width = levels.shape
    for reading in _BAND_READINGS:
        box = Box(0, 0, width, height)
        for _ in range(reading.rounds):
            peeled = peel(levels, box, reading)
            if peeled == box or not is_large_enough(peeled, levels):
                break
            box = peeled
            yield box


def peel(levels: Levels, box: Box, reading: BandReading) -> Box:
    """`box` without one band on each side that has one."""
    left, top, right, bottom = box
    rows = levels[top:bottom, left:right]
    above = _count_band_lines(rows, reading) if "t" in reading.sides else 0
    below = _count_band_lines(rows[::-1], reading) if "b" in reading.sides else 0
    if above + below >= len(rows):
        return box  # all of one colour
    columns = rows[above : len(rows) - below].T
    before = _count_band_lines(columns, reading) if "l" in reading.sides else 0
    after = _count_band_lines(columns[::-1], reading) if "r" in reading.sides else 0
    if before + after >= len(columns):
        return box
    return Box(left + before, top + above, right - after, bottom - below)


def _count_band_lines(lines: Levels, reading: BandReading) -> int:
    """How many lines, from the first, are a band of its colour."""
    if len(lines) < 3:
        return 0
    color = float(np.median(lines[1:3]))
    if _measure_share(lines[1:2], color, reading.tolerance)[0] < 0.75:
        return 0
    share = _measure_share(lines, color, reading.tolerance)
    share[0] = 1  # reduced, it may be half of the band before
    ending = np.flatnonzero(share < reading.least)
    plain = np.flatnonzero(share[: ending[0] if len(ending) else None] >= 0.9)
    return int(plain[-1]) + 1 if len(plain) else 0


def _measure_share(lines: Levels, color: float, tolerance: float) -> NDArray[np.float64]:
    share: NDArray[np.float64] = (np.abs(lines - np.float32(color)) <= tolerance).mean(axis=1)
    return share
