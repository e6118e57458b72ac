"""A photograph made small enough to try many things on, and samples of parts of it.

**The work is done on a reduced picture**, of 512 to 1023 pixels along its longer side, and so it
takes the same time for a picture of any size. A hash is nevertheless that of the picture at its
full size, but for 0 to 2 bits: two moving averages over `w` pixels are a tent `2 w` wide, and
where PDQ places those, half a pixel off for an even `w`, is known (`_places`). Without that,
hashes of pictures 200 pixels wide would be 20 bits off, and mirrored ones up to 40.

Knows nothing of what people do to pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.hashing import pdq

Floats = NDArray[np.float32]

SIDE = 512
"""Pixels along the shorter side that a picture may be reduced to before, and no further."""

Window = Callable[[bool], pdq.Doubles]
"""The 64 x 64 samples of a part, or of what a mirror shows of it if that is true."""


@dataclass(frozen=True)
class ReducedPicture:
    """A photograph in gray, reduced by a whole factor.

    Attributes:
        levels: by row and column, in gray levels.
        factor: how many pixels of the picture are one of these, along each axis.
        width, height: of the picture at its full size.
        contrast: times which the levels would use the whole range, at least 1, at most 4.
    """

    levels: Floats
    factor: int
    width: int
    height: int
    contrast: float

    @classmethod
    def from_pixels(
        cls, pixels: NDArray[Any], full: tuple[int, ...] | None = None
    ) -> "ReducedPicture":
        """Of an image as height x width of gray, or x 3 of red, green and blue.

        Args:
            full: height and width of what these pixels are the means of, if of any.
        """
        height, width = full[:2] if full else pixels.shape[:2]
        factor = -(-width // pixels.shape[1])
        image = Image.fromarray(pixels)
        further = max(1, max(image.size) // SIDE)
        reduced = image.reduce(further)
        levels = np.asarray(reduced if image.mode == "F" else reduced.convert("L"), np.float32)
        low, high = np.percentile(levels[::4, ::4], (1, 99))
        contrast = float(np.clip(200 / (high - low + 1), 1, 4))
        return cls(levels, factor * further, width, height, contrast)

    def orientations(self) -> list[pdq.Doubles]:
        """Samples of all of it: as it is, mirrored, flipped, and both."""
        rows = [_tents(self.height, 0, self.factor, back) @ self.levels for back in (False, True)]
        columns = [_tents(self.width, 0, self.factor, back).T for back in (False, True)]
        return [(row @ column).astype(np.float64) for row in rows for column in columns]

    def window(self, left: float, top: float, right: float, bottom: float) -> Window:
        """A part of the picture, given in pixels of its full size."""
        k = self.factor
        rows = slice(int(top / k), int(np.ceil(bottom / k)))
        columns = slice(int(left / k), int(np.ceil(right / k)))
        down = _tents(bottom - top, top - k * rows.start, k)
        part = self.levels[rows, columns]
        sampled = down[:, : len(part)] @ part

        def samples(mirrored: bool) -> pdq.Doubles:
            across = _tents(right - left, left - k * columns.start, k, mirrored)
            return (sampled @ across[:, : part.shape[1]].T).astype(np.float64)

        return samples

    def without(self, left: float, top: float, right: float, bottom: float) -> Window:
        """All but these shares of its width and height."""
        width, height = self.width, self.height
        return self.window(left * width, top * height, (1 - right) * width, (1 - bottom) * height)


def _places(size: float) -> tuple[NDArray[np.float64], int]:
    """The middles of the 64 samples along `size` pixels as PDQ has them, and its window's width."""
    window, ahead = pdq.window(int(np.ceil(size)))
    return pdq.centres(size).astype(np.float64) + (2 * ahead - window - 0.5), window


def _tents(size: float, start: float, factor: int, backwards: bool = False) -> Floats:
    """R(size) for a reduced axis: 64 rows of weights of its pixels.

    Args:
        size, start: of the window, in pixels of the full size.
        backwards: of what is seen in a mirror.
    """
    places, window = _places(size)
    places = (start + (size - places if backwards else places)) / factor
    length = int(np.ceil((start + size) / factor))
    pixels = np.arange(length, dtype=np.float32) + np.float32(0.5)
    tents: Floats = np.abs(pixels - places.clip(0.5, length - 0.5).astype(np.float32)[:, None])
    tents *= np.float32(-1 / max(window / factor, 1))  # in place: it is as large as a picture
    tents += 1
    np.maximum(tents, 0, out=tents)
    tents /= tents.sum(axis=1, keepdims=True)
    return tents


def sample_turned(
    levels: Floats,
    pixel: int,
    degrees: float,
    center: tuple[float, float],
    size: tuple[float, float],
    mirrored: bool,
) -> pdq.Doubles:
    """Samples of a part of the picture that lies turned by `degrees` against the clock.

    Args:
        pixel: how many of the picture, in which center and size are given, are one of `levels`.
        mirrored: of what a mirror shows of the part.
    """
    across, down = (_places(side)[0] - side / 2 for side in size)
    across = -across if mirrored else across
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    height, width = levels.shape
    x = (center[0] + across * cos + down[:, None] * sin) / pixel - 0.5
    y = (center[1] - across * sin + down[:, None] * cos) / pixel - 0.5
    x, y = x.clip(0, width - 1.001), y.clip(0, height - 1.001)
    column, row = x.astype(np.intp), y.astype(np.intp)
    x, y = x - column, y - row
    at, flat = row * width + column, levels.ravel()
    upper = flat[at] * (1 - x) + flat[at + 1] * x
    lower = flat[at + width] * (1 - x) + flat[at + width + 1] * x
    samples: pdq.Doubles = upper * (1 - y) + lower * y
    return samples
