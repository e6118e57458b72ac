"""Rectangles in a picture, and how small one may be to be a picture of its own."""

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


Part = tuple[float, float, float, float]
"""As `Box`, but a side may lie within a pixel."""


def is_large_enough(box: Box, levels: Levels) -> bool:
    """Whether `box` is so much of the picture that it may be one by itself."""
    height, width = levels.shape
    across, down = box.right - box.left, box.bottom - box.top
    return bool(across >= SMALLEST * width and down >= SMALLEST * height)
