"""The sides of a rectangle, to a fraction of a pixel."""

import numpy as np

from core.hashing.variants.margins.box import Box, Levels, Part


def sharpen(levels: Levels, box: Box) -> Part:
    """`box` with each side moved to the sharpest step near it, to a fraction of a pixel."""
    left, top, right, bottom = box
    height, width = levels.shape
    rows = levels[:, left:right]
    columns = levels[top:bottom].T
    return (
        _locate_step(columns, left),
        _locate_step(rows, top),
        width - _locate_step(columns[::-1], width - right),
        height - _locate_step(rows[::-1], height - bottom),
    )


def _locate_step(lines: Levels, place: int) -> float:
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
