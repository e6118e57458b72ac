"""Where, within a picture, another one may begin: inside a border, a caption, a screenshot.

Nothing here is certain, and nothing has to be: each guess is hashed and looked up, and a wrong
one finds nothing. So several finders guess, each from something else that margins have:

- **one colour**: lines from the edge inwards of which most is the colour of the edge, words in
  it or not. The picture begins behind the last line that is all of that colour. A strict reading
  stops at a sky that is nearly so, a lax one passes noise; a screenshot has several such bands
  behind each other, and where only some sides have a margin, the others must be left alone.
- **no detail**: sides that are filled with a blurred copy of the picture.
- **steps**: a rectangle along whose sides neighbouring pixels differ, on a wall or a desk.
- **something all over**: on a page, in a chat or in a window, pictures are what is not empty. A
  rectangle grows from where there is something all around, until the line past each of its sides
  is empty, whatever the page has further away.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[np.float32]
"""Luma by row and column, in gray levels."""

SMALLEST = 0.12
"""What a margin leaves, at least, as a share of the width and of the height."""

CELL = 8
"""Pixels, of a picture at half its size, along a side of what is told to be empty or not."""

SEEDS = 4
"""Places that rectangles grow from, at most, in each reading of what is empty."""


class Box(NamedTuple):
    """A part of a picture, in pixels; right and bottom are past its end."""

    left: int
    top: int
    right: int
    bottom: int


Part = tuple[float, float, float, float]
"""As `Box`, but a side may lie within a pixel."""


class _MarginReading(NamedTuple):
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


_MARGIN_READINGS = (
    *(_MarginReading(sides, 1, 5, 0.9) for sides in ("ltrb", "tb", "lr")),
    *(_MarginReading(sides, 4, 16, 0.5) for sides in ("ltrb", "tb")),
    _MarginReading("lr", 2, 16, 0.5),
    *(_MarginReading(side, 1, 16, 0.5) for side in "tblr"),
)


def find_margins(levels: Levels) -> list[Part]:
    """The parts of a picture that may be all that somebody has copied, the likeliest first."""
    height, width = levels.shape
    found: list[Part] = [(0, 0, width, height)]
    for box in (
        *_grow(levels),
        *_find_plain(levels),
        *_find_detailed(levels),
        *_find_framed(levels),
    ):
        if not any(_near(box, other) for other in found):
            found.append(box)
    return found[1:]


def _near(one: Part, other: Part) -> bool:
    return all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True))


def _find_plain(levels: Levels) -> Iterator[Box]:
    height, width = levels.shape
    for reading in _MARGIN_READINGS:
        box = Box(0, 0, width, height)
        for _ in range(reading.rounds):
            peeled = _peel(levels, box, reading)
            if peeled == box or not _large_enough(peeled, levels):
                break
            box = peeled
            yield box


def _large_enough(box: Box, levels: Levels) -> bool:
    height, width = levels.shape
    across, down = box.right - box.left, box.bottom - box.top
    return bool(across >= SMALLEST * width and down >= SMALLEST * height)


def _peel(levels: Levels, box: Box, reading: _MarginReading) -> Box:
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


def _band(lines: Levels, reading: _MarginReading) -> int:
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


def _find_detailed(levels: Levels) -> Iterator[Part]:
    height, width = levels.shape
    for find in (_detail, _find_centred):
        left, right = find(levels)
        top, bottom = find(levels.T)
        for box in (Box(left, 0, right, height), Box(0, top, width, bottom)):
            yield _sharpen(levels, box)


def _find_centred(levels: Levels) -> tuple[int, int]:
    """The columns, as far from the left as from the right, that differ most from those before.

    More than columns nearby do: who fills the sides puts the picture in the middle.
    """
    width = levels.shape[1]
    change = np.abs(np.diff(levels, axis=1)).mean(axis=0)
    if width < 32:
        return 0, width
    sides = [np.pad(change, 4, mode="edge")[at : at + len(change)] for at in (0, 1, 2, 6, 7, 8)]
    peak = change / (np.median(sides, axis=0) + 0.5)
    both = np.minimum(peak, peak[::-1])[: 3 * width // 8]
    both[: width // 16] = 0
    left = int(both.argmax()) + 1
    return left, width - left


def _detail(levels: Levels) -> tuple[int, int]:
    """Between which columns neighbours along a column differ, as they do in the middle half."""
    change = np.abs(np.diff(levels, axis=0)).mean(axis=0)
    width = len(change)
    lively = np.flatnonzero(change > 0.3 * change[width // 4 : 3 * width // 4].mean())
    if len(lively) == 0 or lively[-1] - lively[0] < 0.2 * width:
        return 0, width
    return int(lively[0]), int(lively[-1]) + 1


def _find_framed(levels: Levels) -> Iterator[Box]:
    """The two rectangles whose worst side has the most steps along it; 60 % of it at least."""
    height, width = levels.shape
    columns, down = _lines(levels)
    rows, across = _lines(np.ascontiguousarray(levels.T))
    sides = np.array([(a, b) for a in columns for b in columns if b - a > 0.2 * width])
    ends = np.array([(a, b) for a in rows for b in rows if b - a > 0.2 * height])
    worst = np.minimum.reduce(
        [
            _share_of_steps(down, sides[:, 0], ends),
            _share_of_steps(down, sides[:, 1], ends),
            _share_of_steps(across, ends[:, 0], sides).T,
            _share_of_steps(across, ends[:, 1], sides).T,
        ]
    )
    worst[np.outer(np.ptp(ends, axis=1), np.ptp(sides, axis=1)) > 0.99 * height * width] = 0
    for best in np.argsort(worst, axis=None)[:-3:-1]:
        end, side = np.unravel_index(best, worst.shape)
        if worst[end, side] >= 0.6:
            (left, right), (top, bottom) = sides[side].tolist(), ends[end].tolist()
            yield Box(left, top, right, bottom)


def _lines(levels: Levels) -> tuple[list[int], NDArray[np.int16]]:
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
    count = np.zeros((height + 1, width + 1), np.int16)
    np.cumsum(peak, axis=0, dtype=np.int16, out=count[1:])
    run = max(8, height // 4)
    best = (count[run:] - count[:-run]).max(axis=0, initial=0) / run
    places = [0, width]
    for place in np.argsort(best)[:-62:-1].tolist():
        if best[place] < 0.6 or len(places) == 10:
            break
        if all(abs(place - other) > 1 for other in places):
            places.append(place)
    return sorted(places), count


def _share_of_steps(
    count: NDArray[np.int16], places: NDArray[np.intp], spans: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The share of each span (rows of the answer) that has a step at each place (columns)."""
    start, end = spans[:, :1], spans[:, 1:]
    share: NDArray[np.float64] = (count[end, places] - count[start, places]) / (end - start)
    return share


def _grow(levels: Levels) -> Iterator[Part]:
    """Rectangles with something all over them, each also without its bands and at full width."""
    _height, width = levels.shape
    half = np.asarray(Image.fromarray(levels).reduce(2))
    if min(half.shape) < 4 * CELL:
        return
    across = np.ascontiguousarray(half.T)
    everything = _busy(half)
    first = _deepest(everything)
    done: list[Box] = []
    for emptiness in (_spread, _change):
        empty_columns, empty_rows = emptiness(half), emptiness(across)
        busy = everything.copy()
        for number in range(SEEDS):
            seed = _deepest(busy) if number else first
            if seed is None:
                break
            left, top, right, bottom = _spread_out(seed, empty_columns, empty_rows)
            busy[top // CELL : -(-bottom // CELL), left // CELL : -(-right // CELL)] = False
            box = Box(2 * left, 2 * top, 2 * right, 2 * bottom)
            whole = (right - left) * (bottom - top) > 0.98 * half.size
            if whole or not _large_enough(box, levels) or box in done:
                continue
            done.append(box)
            inside = (_peel(levels, box, reading) for reading in _INSIDE)
            for one in (box, *inside, box._replace(left=0, right=width)):
                if _large_enough(one, levels):
                    yield _sharpen(levels, one)


_INSIDE = tuple(_MarginReading(sides, 1, 16, 0.5) for sides in ("tb", "ltrb"))
"""Bands of a window or a bubble that a rectangle has grown over."""

Emptiness = Callable[[int, int], NDArray[np.bool_]]
"""Which columns are empty between two rows."""


def _spread(levels: Levels) -> Emptiness:
    """A column is empty if its levels deviate from their mean by less than 4."""
    one, two = _sum_rows(levels), _sum_rows(levels**2)

    def empty(start: int, stop: int) -> NDArray[np.bool_]:
        count = stop - start
        mean = (one[stop] - one[start]) / count
        found: NDArray[np.bool_] = (two[stop] - two[start]) / count - mean**2 <= 4**2
        return found

    return empty


def _change(levels: Levels) -> Emptiness:
    """A column is empty if neighbours in it differ by less than 1.5, as in a slow gradient."""
    two = _sum_rows(np.diff(levels, axis=0, prepend=levels[:1]) ** 2)

    def empty(start: int, stop: int) -> NDArray[np.bool_]:
        count = max(stop - start - 1, 1)
        found: NDArray[np.bool_] = (two[stop] - two[start + 1]) / count <= 1.5**2
        return found

    return empty


def _sum_rows(levels: Levels) -> NDArray[np.float64]:
    total = np.zeros((len(levels) + 1, levels.shape[1]), np.float64)
    np.cumsum(levels, axis=0, out=total[1:])
    return total


def _busy(levels: Levels) -> NDArray[np.bool_]:
    """Which cells have something in them."""
    height, width = (side // CELL for side in levels.shape)
    cells = levels[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL)
    busy: NDArray[np.bool_] = np.ptp(cells, axis=(1, 3)) > 6
    return busy


def _deepest(busy: NDArray[np.bool_]) -> Box | None:
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


def _spread_out(box: Box, empty_columns: Emptiness, empty_rows: Emptiness) -> Box:
    """`box` grown until the line past each of its sides is empty, or the picture ends."""
    for _ in range(12):
        left, right = _reach(empty_columns(box.top, box.bottom), box.left, box.right)
        top, bottom = _reach(empty_rows(left, right), box.top, box.bottom)
        before, box = box, Box(left, top, right, bottom)
        if box == before:
            break
    return box


def _reach(empty: NDArray[np.bool_], start: int, stop: int) -> tuple[int, int]:
    before, after = np.flatnonzero(empty[:start]), np.flatnonzero(empty[stop:])
    return (
        int(before[-1]) + 1 if len(before) else 0,
        stop + int(after[0]) if len(after) else len(empty),
    )


def _sharpen(levels: Levels, box: Box) -> Part:
    """`box` with each side moved to the sharpest step near it, to a fraction of a pixel."""
    left, top, right, bottom = box
    height, width = levels.shape
    rows = levels[:, left:right]
    columns = levels[top:bottom].T
    return (
        _step(columns, left),
        _step(rows, top),
        width - _step(columns[::-1], width - right),
        height - _step(rows[::-1], height - bottom),
    )


def _step(lines: Levels, place: int) -> float:
    """Where near `place` the lines begin to be others.

    A pixel that both sides share is partly like the one before and partly like the one behind:
    by least squares along the line, how much.
    """
    if place <= 2:
        return 0
    first, last = max(place - 3, 1), min(place + 4, len(lines) - 1)
    if last <= first:
        return place
    place = first + int(np.abs(np.diff(lines[first - 1 : last], axis=0)).mean(axis=1).argmax())
    if not 2 <= place < len(lines) - 1:
        return place
    outside, inside = lines[place - 2], lines[place + 1]
    difference = inside - outside
    norm = float(difference @ difference)
    shares = (lines[place - 1 : place + 1] - outside) @ difference / max(norm, 1)
    return place + 1 - float(shares.clip(0, 1).sum())
