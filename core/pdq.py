"""PDQ, a perceptual hash of images: the same 256 bits and the same quality as `pdqhash`, sooner.

Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook,
2019) and its reference code in C++, which the `pdqhash` package wraps.

PDQ takes the luma L of an image (H rows, W columns), smooths it twice along each axis with a
moving average of 1/128 of that axis, and keeps 64 x 64 evenly spaced samples. From these come the
quality, a count of significant differences between neighbours, and a discrete cosine transform,
of whose coefficients 1 to 16 along each axis a bit is set for each one above their median.

**Smoothing and sampling are linear**, and so is luma. The samples are R(H) L R(W)ᵀ, where the 64
rows of R(n) hold the weights of one sample each. A row is zero but for about n/64 neighbours, so
the product reads every pixel about once, where the moving averages write every pixel four times:
two megapixels take 2.7 ms, and 75 in `pdqhash` on the same machine.

**Exactness.** `pdqhash` rounds to 32-bit floats along the way, which moves a coefficient by up to
0.002. That may change a hash where the coefficients on both sides of the median are as near to
each other: in two photographs of a hundred, and in every picture whose symmetry makes half of
them zero, where `pdqhash` sets bits by its rounding errors alone. Only these are smoothed as the
definition says, by the same 32-bit operations in the same order. So hashes that HMA has made of
flags, patterns and logos are found too.

**Orientations.** R is not symmetric: pdqhash's windows reach further one way than the other. So the
samples of a mirrored image are those of R mirrored, and changing the signs of every other
coefficient instead would leave the hash up to 22 bits off. Reading the rows twice, with R as it is
and mirrored, gives four images exactly, and their transposes the other four.

**Windows.** A part of an image has fewer rows and columns, and R of that many: `spectrum` of a view
is the hash of the part, without a copy or a second decoding.
"""

import functools
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Weights = tuple[tuple[int, Floats], ...]

SAMPLES = 64
"""Samples along each axis."""

SLAB = 1 << 19
"""Numbers that are read from an image at once: they stay in the cache, and memory low."""

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


class Rows(Protocol):
    """An image that gives some of its rows at a time, as an array does.

    Rows are H x W x 3 of red, green and blue, or H x W of luma, in gray levels.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Pdq:
    """A hash and how much can be told from it.

    Attributes:
        hash: 256 bits as 64 hexadecimal digits.
        quality: 0 to 100; below 50 there is too little in the image for the hash to mean much.
    """

    hash: str
    quality: int


@dataclass(frozen=True)
class Spectrum:
    """What a hash is made of.

    Attributes:
        coefficients: 16 x 16, of frequencies 1 to 16 down (rows) and across (columns).
        quality: as of the hash.
    """

    coefficients: Doubles
    quality: int

    @classmethod
    def of(cls, samples: Doubles) -> "Spectrum":
        """Of 64 x 64 samples of smoothed luma, however they were come by."""
        return _transformed(samples)

    def pdq(self) -> Pdq:
        return Pdq(bits(self.coefficients), self.quality)


def spectrum(image: Rows) -> Spectrum:
    """The coefficients of an image or of a view of one, and its quality, by the matrix form alone.

    Its hash is `compute`'s wherever rounding errors do not decide.

    Args:
        image: at least 5 x 5.
    """
    return _transformed(sample(image))


def orientations(image: Rows) -> dict[str, Spectrum]:
    """What `spectrum` would say of `image` turned and mirrored, for twice its price.

    Turns are against the clock. `mirror` swaps left and right, `flip` top and bottom, `transpose`
    rows and columns, `transverse` does that and turns by half.
    """
    found = {}
    for flipped, names in (
        (False, ("upright", "transpose", "mirror", "turn90")),
        (True, ("flip", "turn270", "turn180", "transverse")),
    ):
        rows = _rows(image, flipped)
        for mirrored, (name, transposed) in zip((False, True), (names[:2], names[2:]), strict=True):
            seen = _transformed(_columns(rows, mirrored))
            found[name] = seen
            found[transposed] = Spectrum(seen.coefficients.T, seen.quality)
    return found


def compute(image: Rows, least: int = 0) -> Pdq:
    """The PDQ of an image of bytes, exactly as `pdqhash` has it.

    Args:
        least: a quality below which the hash is of no use: where it surely is below, rounding
            errors are not followed. What is blank costs no more than what is not.
    """
    if min(image.shape[:2]) < SMALLEST:
        return Pdq("0" * 64, 0)
    return _by_matrix(image, least) or _by_definition(image)


def approximate(image: Rows, full: tuple[int, int]) -> Pdq | None:
    """The PDQ of an image from one that is smaller or in gray; None where that cannot be told.

    Args:
        image: each pixel the mean of a square of those of the image in question.
        full: the height and width of that. Its own windows and samples are used.

    A few coefficients about the median may change sides, which costs as many bits. Where many are
    near it, as in flags, patterns and blank pages, the hash would be another.
    """
    if min(image.shape[:2]) < SMALLEST:
        return None
    samples = _columns(_rows(image, full=full[0]), full=full[1])
    seen = _transformed(samples)
    median = np.partition(seen.coefficients, 127, axis=None)[127]
    near = np.count_nonzero(np.abs(seen.coefficients - median) < APPROXIMATION_ERROR)
    return seen.pdq() if near <= MOST_NEAR else None


def bits(coefficients: NDArray[np.floating]) -> str:
    """The hash of 16 x 16 coefficients: which of them are above their median, the last one first.

    The median is the 128th smallest, as torben's algorithm has it.
    """
    median = np.partition(coefficients, 127, axis=None)[127]
    return np.packbits((coefficients > median).ravel()[::-1]).tobytes().hex()


def _by_matrix(image: Rows, useful: int = 0) -> Pdq | None:
    """The PDQ of an image, or None where it is for rounding errors to decide."""
    if not _even(*image.shape[:2]):
        return None
    samples = sample(image)
    coefficients = _TRANSFORM @ samples @ _TRANSFORM.T
    least, most = _quality(samples, -SAMPLE_ERROR), _quality(samples, SAMPLE_ERROR)
    if most < useful:
        return Pdq(bits(coefficients), most)
    if least < most or _gap(coefficients) <= 2 * COEFFICIENT_ERROR:
        return None
    return Pdq(bits(coefficients), least)


def sample(image: Rows) -> Doubles:
    """The 64 x 64 samples of an image's smoothed luma, in gray levels: R(H) L R(W)ᵀ."""
    return _columns(_rows(image))


def _rows(image: Rows, flipped: bool = False, full: int | None = None) -> Floats:
    """R(H) L: 64 rows of luma; of the image upside down if `flipped`."""
    rows = _weighted(image, flipped, full)
    if len(image.shape) == 3:
        rows = (rows.reshape(-1, 3) @ np.array(LUMA, np.float32)).reshape(SAMPLES, -1)
    return rows


def _columns(rows: Floats, mirrored: bool = False, full: int | None = None) -> Doubles:
    """`rows` R(W)ᵀ, 64 x 64 samples; of the image seen from behind if `mirrored`."""
    return _weighted(rows.T, mirrored, full).T.astype(np.float64)


def _transformed(samples: Doubles) -> Spectrum:
    return Spectrum(_TRANSFORM @ samples @ _TRANSFORM.T, _quality(samples, 0))


def _weighted(lines: Rows, backwards: bool = False, full: int | None = None) -> Floats:
    """R(n) `lines`, for n lines of any length; R(n) of the lines in reverse if `backwards`.

    If they are the means of neighbours in `full` lines, it is R of those that is applied.
    """
    length, width = lines.shape[0], math.prod(lines.shape[1:])
    weights = _weights(length) if full is None else _folded(full, length)
    if backwards:
        weights = tuple((length - first - len(row), row[::-1]) for first, row in weights[::-1])
    product = np.empty((SAMPLES, width), np.float32)
    for start, stop in _groups(weights, max(1, SLAB // width)):
        top, bottom = weights[start][0], weights[stop - 1][0] + len(weights[stop - 1][1])
        slab = lines[top:bottom].reshape(-1, width)
        for left in range(0, width, 4096):  # a block of floats fits the cache
            block = slice(left, left + 4096)
            for row, (first, shares) in zip(product[start:stop], weights[start:stop], strict=True):
                part = slab[first - top : first - top + len(shares), block]
                row[block] = shares @ part.astype(np.float32)
    return product[::-1] if backwards else product


def _groups(weights: Weights, most: int) -> Iterator[tuple[int, int]]:
    """Rows of R that read at most so many neighbouring lines together, or one row alone."""
    start = 0
    for stop in range(1, SAMPLES + 1):
        if stop == SAMPLES or weights[stop][0] + len(weights[stop][1]) > weights[start][0] + most:
            yield start, stop
            start = stop


@functools.lru_cache(maxsize=64)
def _weights(length: int) -> Weights:
    """R(length) without its zeros: for each row, the first column that counts, and the weights."""
    first, last = _windows(length)
    rows = []
    for centre in _centres(length):
        middle = np.arange(first[centre], last[centre])  # what the second moving average reads
        reached = np.arange(first[middle[0]], last[middle[-1]])  # what the first one read for it
        inside = (first[middle, None] <= reached) & (reached < last[middle, None])
        share = inside / (last - first)[middle, None]
        rows.append((int(reached[0]), share.mean(axis=0).astype(np.float32)))
    return tuple(rows)


@functools.lru_cache(maxsize=64)
def _folded(length: int, parts: int) -> Weights:
    """R(length) for lines of which so many neighbours are one that only `parts` are left."""
    factor = -(-length // parts)
    rows = []
    for first, weights in _weights(length):
        start, ahead = divmod(first, factor)
        behind = -(ahead + len(weights)) % factor
        rows.append((start, np.pad(weights, (ahead, behind)).reshape(-1, factor).sum(axis=1)))
    return tuple(rows)


def _window(length: int) -> tuple[int, int]:
    """How many neighbours a moving average reads, and how many of these do not come before it."""
    window = -(-length // (2 * SAMPLES))
    return window, (window + 2) // 2


def _windows(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each place, the first one that its average reads and the one after the last."""
    window, ahead = _window(length)
    last = np.arange(length) + ahead
    return np.maximum(last - window, 0), np.minimum(last, length)


def _centres(length: int) -> NDArray[np.intp]:
    return ((np.arange(SAMPLES) + 0.5) * length / SAMPLES).astype(np.intp)


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
    return _scaled(sum(int((step.clip(0) * 100 / 255).astype(int).sum()) for step in steps))


def _scaled(steps: int) -> int:
    return min(100, steps // 90)


_TRANSFORM: Doubles = float(np.float32(np.sqrt(2 / SAMPLES))) * np.cos(
    np.pi / (2 * SAMPLES) * np.outer(np.arange(1, 17), 2 * np.arange(SAMPLES) + 1)
)
"""Rows 1 to 16 of the discrete cosine transform; the reference code rounds the factor."""


# What follows computes the same as what precedes, in the roundings of the reference code: all
# values are 32-bit floats, and sums are taken one by one in its order (`np.add.accumulate` does
# not sum by pairs, as `sum` and `@` may).


def _by_definition(image: Rows) -> Pdq:
    samples = _sample_rounded(image)
    return Pdq(bits(_transform_rounded(samples)), _quality_rounded(samples))


def _sample_rounded(image: Rows) -> Floats:
    """The samples by moving averages: across, down, across and down, a slab of rows at a time."""
    height, width = image.shape[:2]
    if height == width == SAMPLES:
        return _luma(image[:])
    most = max(16, SLAB // width)
    slabs = (image[top : top + most] for top in range(0, height, most))
    once = _averaged_down((_averaged(_luma(slab)) for slab in slabs), height)
    across = np.concatenate([_averaged(slab)[:, _centres(width)] for slab in once])
    down = _averaged(np.ascontiguousarray(across.T))
    return np.ascontiguousarray(down[:, _centres(height)].T)


def _luma(pixels: Pixels) -> Floats:
    """Luma rounded once: thousandths are whole numbers that 32 bits hold without rounding."""
    whole = [np.float32(round(1000 * share)) for share in LUMA]
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    red, green, blue = (pixels[:, :, i] * share for i, share in enumerate(whole))
    luma: Floats = red + green + blue
    return np.divide(luma, np.float32(1000), out=luma)


def _averaged(rows: Floats) -> Floats:
    """Each number replaced by the average of those in its window: a running sum, divided."""
    height, width = rows.shape
    window, ahead = _window(width)
    terms = np.zeros((height, width + ahead - 1, 2), np.float32)  # what enters, what leaves
    terms[:, :width, 0] = rows
    np.negative(rows[:, : width + ahead - 1 - window], out=terms[:, window:, 1])
    terms = terms.reshape(height, -1)
    np.add.accumulate(terms, axis=1, out=terms)
    first, last = _windows(width)
    averaged: Floats = np.divide(terms[:, 2 * ahead - 1 :: 2], (last - first).astype(np.float32))
    return averaged


def _averaged_down(slabs: Iterator[Floats], height: int) -> Iterator[Floats]:
    """As `_averaged`, down the columns of an image that comes and goes a slab at a time."""
    window, ahead = _window(height)
    first, last = _windows(height)
    counts: Floats = (last - first).astype(np.float32)
    inside: deque[Floats] = deque()
    total: Floats = np.zeros(1, np.float32)
    place = 1 - ahead
    for slab in chain(slabs, (None,)):
        entering: Iterable[Floats | None] = repeat(None, ahead - 1) if slab is None else slab
        averaged = []
        for row in entering:
            if row is not None:
                total = total + row
                inside.append(row)
            if place + ahead > window:
                total = total - inside.popleft()
            if place >= 0:
                averaged.append(total / counts[place])
            place += 1
        if averaged:
            yield np.stack(averaged)


def _transform_rounded(samples: Floats) -> Floats:
    matrix = _TRANSFORM.astype(np.float32)
    half: Floats = np.add.accumulate(matrix[:, :, None] * samples, axis=1)
    whole: Floats = np.add.accumulate(half[:, None, -1] * matrix, axis=2)
    return whole[:, :, -1]


def _quality_rounded(samples: Floats) -> int:
    steps = (np.diff(samples, axis=axis) * np.float32(100) / np.float32(255) for axis in (0, 1))
    return _scaled(sum(int(np.abs(step.astype(int)).sum()) for step in steps))
