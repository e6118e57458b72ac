"""PDQ as two matrix products, and of what is less than an image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.hashing.pdq.smoothing import SAMPLES, Floats, Rows, smooth_lines, window

Pixels = NDArray[np.uint8]
Doubles = NDArray[np.float64]

LEAST_QUALITY = 50
"""Below it there is too little in an image for its hash to mean much, and to be matched."""

SMALLEST = 5
"""An image with fewer pixels along an axis has no hash: all zeros, at quality 0."""

LUMA = (0.299, 0.587, 0.114)

COEFFICIENT_ERROR = 0.005
"""No coefficient of `pdqhash` was seen further than 0.0017 from its true value, in shapes that
`_even` accepts, between 5 x 5 and 48 megapixels."""

SAMPLE_ERROR = 0.0025
"""As above, in gray levels; the furthest seen was 0.001."""

APPROXIMATION_ERROR = 1.0
"""By how much most coefficients change when a JPEG is decoded in gray and at a reduced size."""

MOST_NEAR = 16
"""As many coefficients that near to the median are too many to tell which of them are above."""


AS_SEEN = {
    1: (False, False, False),
    2: (False, True, False),
    3: (True, True, False),
    4: (True, False, False),
    5: (False, False, True),
    6: (True, False, True),
    7: (True, True, True),
    8: (False, True, True),
}
"""How an image becomes upright, by its EXIF orientation: its rows in reverse, its columns in
reverse, rows and columns swapped."""


@dataclass(frozen=True)
class Pdq:
    """A hash and how much can be told from it.

    Attributes:
        hash: 256 bits as 64 hexadecimal digits.
        quality: 0 to 100; below `LEAST_QUALITY` the hash means little.
    """

    hash: str
    quality: int


def approximate(
    image: Rows, full: tuple[int, ...], keep: int = 1, orientation: int = 1
) -> Pdq | None:
    """The PDQ of an image from one that is smaller or in gray; None where that cannot be told.

    Args:
        image: instead of each square of the image in question its mean or, if `keep` is more than
            1, its keep x keep lowest frequencies; in gray levels about any.
        full: the height and width of that image. Its own windows and samples are used.

    A few coefficients about the median may change sides, which costs as many bits. Where many are
    near it, as in flags, patterns and blank pages, the hash would be another.
    """
    if min(full) < SMALLEST:
        return None
    samples = sample(image, orientation, full, keep)
    coefficients = transform(samples)
    median = np.partition(coefficients, 127, axis=None)[127]
    near = np.count_nonzero(np.abs(coefficients - median) < APPROXIMATION_ERROR)
    return Pdq(bits(coefficients), _quality(samples, 0)) if near <= MOST_NEAR else None


def frequencies_needed(full: tuple[int, ...]) -> int:
    """How many frequencies of blocks of 8 x 8 pixels `approximate` needs, along each axis.

    Two moving averages over w pixels let nothing pass at 1/w and little above. The frequencies of
    a block are sixteenths, and a quarter more of them were needed: with fewer, hashes of
    photographs were 2 bits off at the median, with these 0.
    """
    return -(-20 // window(min(full[:2]))[0])


def by_matrix(image: Rows, least: int = 0, orientation: int = 1) -> Pdq | None:
    """The PDQ of an image, or None where it is for rounding errors to decide.

    Args:
        least: as of `compute`.
        orientation: as EXIF has it; the PDQ is that of the image upright.
    """
    if min(image.shape[:2]) < SMALLEST:
        return Pdq("0" * 64, 0)
    if not _even(*image.shape[:2]):
        return None
    samples = sample(image, orientation)
    coefficients = transform(samples)
    low, high = _quality(samples, -SAMPLE_ERROR), _quality(samples, SAMPLE_ERROR)
    if high < least:
        return Pdq(bits(coefficients), high)
    if low < high or _gap(coefficients) <= 2 * COEFFICIENT_ERROR:
        return None
    return Pdq(bits(coefficients), low)


def sample(
    image: Rows, orientation: int = 1, full: tuple[int, ...] | None = None, keep: int = 1
) -> Doubles:
    """The 64 x 64 samples of an image's smoothed luma, in gray levels: R(H) L R(W)ᵀ.

    Args: as of `approximate`.
    """
    flipped, mirrored, swapped = AS_SEEN[orientation]
    height, width = full[:2] if full else (None, None)
    samples = _columns(_rows(image, flipped, height, keep), mirrored, width, keep)
    return samples.T if swapped else samples


def from_samples(samples: Doubles) -> Pdq:
    """The PDQ of 64 x 64 samples of smoothed luma, however they were come by."""
    return Pdq(bits(transform(samples)), _quality(samples, 0))


def transform(samples: Doubles) -> Doubles:
    """The 16 x 16 coefficients of frequencies 1 to 16 down (rows) and across (columns)."""
    coefficients: Doubles = TRANSFORM @ samples @ TRANSFORM.T
    return coefficients


def bits(coefficients: NDArray[np.floating]) -> str:
    """The hash of 16 x 16 coefficients: which of them are above their median, the last one first.

    The median is the 128th smallest, as torben's algorithm has it.
    """
    median = np.partition(coefficients, 127, axis=None)[127]
    return np.packbits((coefficients > median).ravel()[::-1]).tobytes().hex()


def _rows(image: Rows, flipped: bool = False, full: int | None = None, keep: int = 1) -> Floats:
    """R(H) L: 64 rows of luma; of the image upside down if `flipped`."""
    rows = smooth_lines(image, flipped, full, keep)
    if len(image.shape) == 3:
        rows = (rows.reshape(-1, 3) @ np.array(LUMA, np.float32)).reshape(SAMPLES, -1)
    return rows


def _columns(
    rows: Floats, mirrored: bool = False, full: int | None = None, keep: int = 1
) -> Doubles:
    """`rows` R(W)ᵀ, 64 x 64 samples; of the image seen from behind if `mirrored`."""
    return smooth_lines(rows.T, mirrored, full, keep).T.astype(np.float64)


def _even(height: int, width: int) -> bool:
    """Whether rounding errors average out: those of a long, thin image do so less and less."""
    return max(height, width) <= 16 * min(height, width)


def _gap(coefficients: Doubles) -> float:
    """How far the smallest coefficient whose bit is set is from the largest whose bit is not."""
    low, high = np.partition(coefficients, (127, 128), axis=None)[127:129]
    return float(high - low)


def _quality(samples: Doubles, error: float) -> int:
    """The quality if every difference between neighbours were larger by two times `error`."""
    steps = [np.abs(np.diff(samples, axis=axis)) + 2 * error for axis in (0, 1)]
    return quality_of(sum(int((step.clip(0) * 100 / 255).astype(int).sum()) for step in steps))


def quality_of(steps: int) -> int:
    """The quality for so many percents of difference between neighbours."""
    return min(100, steps // 90)


TRANSFORM: Doubles = float(np.float32(np.sqrt(2 / SAMPLES))) * np.cos(
    np.pi / (2 * SAMPLES) * np.outer(np.arange(1, 17), 2 * np.arange(SAMPLES) + 1)
)
"""Rows 1 to 16 of the discrete cosine transform; the reference code rounds the factor."""
