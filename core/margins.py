"""Where, within a picture, another one may begin: inside a border, a caption, a screenshot.

Nothing here is certain, and nothing has to be: each guess is hashed and looked up, and a wrong
one finds nothing. So several finders guess, each from something else that margins have:

- **one colour**: lines from the edge inwards of which most is the colour of the edge, words in
  it or not. The picture begins behind the last line that is all of that colour. A strict reading
  stops at a sky that is nearly so, a lax one passes noise; a screenshot has several such bands
  behind each other, and where only some sides have a margin, the others must be left alone.
- **no detail**: sides that are filled with a blurred copy of the picture.
- **steps**: a rectangle along whose sides neighbouring pixels differ, on a wall or a desk.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]
"""Luma by row and column, in gray levels."""

SMALLEST = 0.12
"""What a margin leaves, at least, as a share of the width and of the height."""


class Box(NamedTuple):
    """A part of a picture, in pixels; right and bottom are past its end."""

    left: int
    top: int
    right: int
    bottom: int


class _Reading(NamedTuple):
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


_READINGS = (
    *(_Reading(sides, 1, 5, 0.9) for sides in ("ltrb", "tb", "lr")),
    *(_Reading(sides, 4, 16, 0.5) for sides in ("ltrb", "tb")),
    _Reading("lr", 2, 16, 0.5),
    *(_Reading(side, 1, 16, 0.5) for side in "tblr"),
)


def margins(levels: Levels) -> list[Box]:
    """The parts of a picture that may be all that somebody has copied, the likeliest first."""
    height, width = levels.shape
    found = [Box(0, 0, width, height)]
    for box in (*_plain(levels), *_detailed(levels), *_framed(levels)):
        if not any(_near(box, other) for other in found):
            found.append(box)
    return found[1:]


def _near(one: Box, other: Box) -> bool:
    return all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True))


def _plain(levels: Levels) -> Iterator[Box]:
    height, width = levels.shape
    for reading in _READINGS:
        box = Box(0, 0, width, height)
        for _ in range(reading.rounds):
            peeled = _peeled(levels, box, reading)
            if peeled == box or not _large_enough(peeled, levels):
                break
            box = peeled
            yield box


def _large_enough(box: Box, levels: Levels) -> bool:
    height, width = levels.shape
    across, down = box.right - box.left, box.bottom - box.top
    return bool(across >= SMALLEST * width and down >= SMALLEST * height)


def _peeled(levels: Levels, box: Box, reading: _Reading) -> Box:
    """`box` without one band on each side that has one."""
    left, top, right, bottom = box
    rows = levels[top:bottom, left:right]
    above = _band(rows, reading) if "t" in reading.sides else 0
    below = _band(rows[::-1], reading) if "b" in reading.sides else 0
    if above + below >= len(rows):
        return box  # all of one colour
    columns = rows[above : len(rows) - below].T
    before = _band(columns, reading) if "l" in reading.sides else 0
    after = _band(columns[::-1], reading) if "r" in reading.sides else 0
    if before + after >= len(columns):
        return box
    return Box(left + before, top + above, right - after, bottom - below)


def _band(lines: Levels, reading: _Reading) -> int:
    """How many lines, from the first, are a band of its colour."""
    if len(lines) < 3:
        return 0
    color = float(np.median(lines[1:3]))
    if _share(lines[1:2], color, reading.tolerance)[0] < 0.75:
        return 0
    share = _share(lines, color, reading.tolerance)
    share[0] = 1  # reduced, it may be half of the band before
    ending = np.flatnonzero(share < reading.least)
    plain = np.flatnonzero(share[: ending[0] if len(ending) else None] >= 0.9)
    return int(plain[-1]) + 1 if len(plain) else 0


def _share(lines: Levels, color: float, tolerance: float) -> NDArray[np.float64]:
    share: NDArray[np.float64] = (np.abs(lines - np.float32(color)) <= tolerance).mean(axis=1)
    return share


def _detailed(levels: Levels) -> Iterator[Box]:
    height, width = levels.shape
    left, right = _detail(levels)
    top, bottom = _detail(levels.T)
    yield Box(left, 0, right, height)
    yield Box(0, top, width, bottom)


def _detail(levels: Levels) -> tuple[int, int]:
    """Between which columns neighbours along a column differ, as they do in the middle half."""
    change = np.abs(np.diff(levels, axis=0)).mean(axis=0)
    width = len(change)
    lively = np.flatnonzero(change > 0.3 * change[width // 4 : 3 * width // 4].mean())
    if len(lively) == 0 or lively[-1] - lively[0] < 0.2 * width:
        return 0, width
    return int(lively[0]), int(lively[-1]) + 1


def _framed(levels: Levels) -> Iterator[Box]:
    """The two rectangles whose worst side has the most steps along it; 60 % of it at least."""
    height, width = levels.shape
    columns, down = _lines(levels)
    rows, across = _lines(np.ascontiguousarray(levels.T))
    sides = np.array([(a, b) for a in columns for b in columns if b - a > 0.2 * width])
    ends = np.array([(a, b) for a in rows for b in rows if b - a > 0.2 * height])
    worst = np.minimum.reduce(
        [
            _stepped(down, sides[:, 0], ends),
            _stepped(down, sides[:, 1], ends),
            _stepped(across, ends[:, 0], sides).T,
            _stepped(across, ends[:, 1], sides).T,
        ]
    )
    worst[np.outer(np.ptp(ends, axis=1), np.ptp(sides, axis=1)) > 0.99 * height * width] = 0
    for best in np.argsort(worst, axis=None)[:-3:-1]:
        end, side = np.unravel_index(best, worst.shape)
        if worst[end, side] >= 0.6:
            (left, right), (top, bottom) = sides[side].tolist(), ends[end].tolist()
            yield Box(left, top, right, bottom)


def _lines(levels: Levels) -> tuple[list[int], NDArray[np.int32]]:
    """Up to eight places, and both edges, where columns step over a quarter of the height.

    Returns:
        The places, ascending: of the column after the step; and, by row and place, how many
        rows before it have a step there. Both edges of the picture count as steps.
    """
    height, width = levels.shape
    steps = np.abs(np.diff(levels, axis=1, prepend=levels[:, :1], append=levels[:, -1:]))
    peak = np.ones(steps.shape, bool)
    inner = steps[:, 1:-1]
    peak[:, 1:-1] = (inner > 5) & (inner >= steps[:, :-2]) & (inner >= steps[:, 2:])
    count = np.zeros((height + 1, width + 1), np.int32)
    np.cumsum(peak, axis=0, out=count[1:])
    run = max(8, height // 4)
    best = (count[run:] - count[:-run]).max(axis=0, initial=0) / run
    places = [0, width]
    for place in np.argsort(best)[:-62:-1].tolist():
        if best[place] < 0.6 or len(places) == 10:
            break
        if all(abs(place - other) > 1 for other in places):
            places.append(place)
    return sorted(places), count


def _stepped(
    count: NDArray[np.int32], places: NDArray[np.intp], spans: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The share of each span (rows of the answer) that has a step at each place (columns)."""
    start, end = spans[:, :1], spans[:, 1:]
    share: NDArray[np.float64] = (count[end, places] - count[start, places]) / (end - start)
    return share
