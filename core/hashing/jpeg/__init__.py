"""JPEG files read no further than PDQ needs: to rows of luma, or to the lowest frequencies.

PDQ needs each row of luma once, and never the colours, so no picture is ever whole in memory. In
mode `fast` it does not need pixels at all: a JPEG is stored as the frequencies of blocks of 8 x 8
pixels, and smoothing leaves only the lowest of them.

What decodes is `decoder.c`. It takes plain JPEGs alone, and leaves the odd and the damaged to
Pillow, as it does all of them where it was not compiled.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from core.hashing.jpeg import _decoder
else:
    try:
        from core.hashing.jpeg import _decoder
    except ImportError:  # there was no compiler when this was installed
        _decoder = None

Floats = NDArray[np.float32]

BLOCK = 8
"""Pixels along a side of a block, and the frequencies of it along each axis."""


class Luma:
    """The luma of a JPEG, H x W in gray levels: to the bit that of the RGB that Pillow decodes.

    Its rows can be had in order only: a slice never starts above the one before.

    Raises:
        NotImplementedError: the file is not for this decoder, on creation or at any slice.
    """

    def __init__(self, content: bytes) -> None:
        self._file = _open(content)
        self._room: Floats = np.empty((0, self._file.size[1]), np.float32)
        self._top = self._bottom = 0  # of the rows that are in it

    @property
    def shape(self) -> tuple[int, ...]:
        return self._file.size

    def __getitem__(self, rows: slice) -> Floats:
        """Some rows, for as long as no others are asked for."""
        top, bottom, _ = rows.indices(self.shape[0])
        while top > self._bottom:  # nobody wants these
            self._go_on(self._bottom, min(top, self._bottom + 64))
        return self._go_on(top, bottom)

    def _go_on(self, top: int, bottom: int) -> Floats:
        """The rows from `top` to `bottom`, of which some may be there."""
        kept = self._room[top - self._top : self._bottom - self._top]
        if len(self._room) < bottom - top:
            self._room = np.empty((bottom - top, self.shape[1]), np.float32)
        self._room[: len(kept)] = kept
        rows = self._room[: bottom - top]
        self._file.rows(rows[len(kept) :])
        self._top, self._bottom = top, bottom
        return rows


def frequencies(content: bytes, keep: int) -> Floats:
    """The keep x keep lowest frequencies of each block of luma, in gray levels about mid-gray.

    Returns:
        as many rows and columns as there are blocks, times `keep`: of each block the cosines of
        frequency 0 to keep - 1 down and across, the first of which is its mean.

    Raises:
        NotImplementedError: the file is not for this decoder.
    """
    file = _open(content)
    down, across = file.blocks
    lowest: Floats = np.empty((down * keep, across * keep), np.float32)
    file.cosines(lowest, keep)
    height, width = (-(-side // BLOCK) * keep for side in file.size)  # whole MCUs are stored
    return lowest[:height, :width]


def lower_frequencies(frequencies: Floats, keep: int, fewer: int) -> Floats:
    """Of each block the fewer x fewer lowest of its keep x keep frequencies."""
    if fewer == keep:
        return frequencies
    down, across = (side // keep for side in frequencies.shape)
    blocks = frequencies.reshape(down, keep, across, keep)[:, :fewer, :, :fewer]
    return blocks.reshape(down * fewer, across * fewer)


def pixels_needed(size: tuple[int, ...], least: int) -> int:
    """How many pixels along a side of a block leave `least` along both sides: 1, 2, 4 or 8."""
    for pixels in (1, 2, 4):
        if min(size) * pixels // BLOCK >= least:
            return pixels
    return BLOCK


def reduce(frequencies: Floats, pixels: int, size: tuple[int, ...]) -> Floats:
    """The luma of a JPEG made smaller: pixels x pixels in place of each block.

    Args:
        frequencies: as many of each block.
        size: height and width of the JPEG.
    """
    places = np.arange(pixels) + 0.5
    cosines = np.cos(np.pi / pixels * np.outer(places, np.arange(pixels)))
    cosines[:, 1:] *= np.sqrt(2)
    inverse = cosines.astype(np.float32)
    down, across = (side // pixels for side in frequencies.shape)
    columns = frequencies.reshape(-1, pixels) @ inverse.T
    blocks = inverse @ columns.reshape(down, pixels, across * pixels)
    levels: Floats = blocks.reshape(down * pixels, -1)[
        : -(-size[0] * pixels // BLOCK), : -(-size[1] * pixels // BLOCK)
    ]
    return np.rint(levels + 128).clip(0, 255)


def _open(content: bytes) -> "_decoder.Jpeg":
    if _decoder is None:
        raise NotImplementedError("the decoder was not compiled")
    return _decoder.Jpeg(content)
