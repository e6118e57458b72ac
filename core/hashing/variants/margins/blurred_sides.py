"""Margins without detail: sides that are filled with a blurred copy of the picture."""

from collections.abc import Iterator

import numpy as np

from core.hashing.variants.margins.box import Box, Levels, Part
from core.hashing.variants.margins.sharpen import sharpen


def find_between_blurred_sides(levels: Levels) -> Iterator[Part]:
    """The middle of a picture as wide, and as high, as there is detail or where the sides end."""
    height, width = levels.shape
    for find in (_find_lively_columns, _find_centred_columns):
        left, right = find(levels)
        top, bottom = find(levels.T)
        for box in (Box(left, 0, right, height), Box(0, top, width, bottom)):
            yield sharpen(levels, box)


def _find_centred_columns(levels: Levels) -> tuple[int, int]:
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


def _find_lively_columns(levels: Levels) -> tuple[int, int]:
    """Between which columns neighbours along a column differ, as they do in the middle half."""
    change = np.abs(np.diff(levels, axis=0)).mean(axis=0)
    width = len(change)
    lively = np.flatnonzero(change > 0.3 * change[width // 4 : 3 * width // 4].mean())
    if len(lively) == 0 or lively[-1] - lively[0] < 0.2 * width:
        return 0, width
    return int(lively[0]), int(lively[-1]) + 1
