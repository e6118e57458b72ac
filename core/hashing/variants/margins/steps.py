"""Rectangles along whose sides neighbouring pixels differ, on a wall or a desk."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.hashing.variants.margins.box import Box, Levels


def find_framed(levels: Levels) -> Iterator[Box]:
    """The two rectangles whose worst side has the most steps along it; 60 % of it at least."""
    height, width = levels.shape
    columns, down = _find_step_places(levels)
    rows, across = _find_step_places(np.ascontiguousarray(levels.T))
    sides = np.array([(a, b) for a in columns for b in columns if b - a > 0.2 * width])
    ends = np.array([(a, b) for a in rows for b in rows if b - a > 0.2 * height])
    worst = np.minimum.reduce(
        [
            _measure_step_shares(down, sides[:, 0], ends),
            _measure_step_shares(down, sides[:, 1], ends),
            _measure_step_shares(across, ends[:, 0], sides).T,
            _measure_step_shares(across, ends[:, 1], sides).T,
        ]
    )
    worst[np.outer(np.ptp(ends, axis=1), np.ptp(sides, axis=1)) > 0.99 * height * width] = 0
    for best in np.argsort(worst, axis=None)[:-3:-1]:
        end, side = np.unravel_index(best, worst.shape)
        if worst[end, side] >= 0.6:
            (left, right), (top, bottom) = sides[side].tolist(), ends[end].tolist()
            yield Box(left, top, right, bottom)


def _find_step_places(levels: Levels) -> tuple[list[int], NDArray[np.int16]]:
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


def _measure_step_shares(
    count: NDArray[np.int16], places: NDArray[np.intp], spans: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The share of each span (rows of the answer) that has a step at each place (columns)."""
    start, end = spans[:, :1], spans[:, 1:]
    share: NDArray[np.float64] = (count[end, places] - count[start, places]) / (end - start)
    return share
