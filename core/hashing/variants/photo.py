"""Other pictures that a copy may have been before somebody altered it, and their PDQ hashes.

PDQ forgives recompression and resizing, and little else. So a query is also hashed as it would
be turned or mirrored, without its margins, turned back by some degrees, without one of its edges,
and with full contrast; and of a banked picture, the crops that people make of it can be kept.
Who mirrors a picture frames or turns it, too, so what is found by these is also seen in a mirror.
Whichever is right, matches; the others are hashes of pictures that nobody has banked. Each is
dropped if its quality is too low for its hash to mean much, as any picture is.

**The work is done on a reduced picture**, of 512 to 1023 pixels along its longer side, and so it
takes the same time for a picture of any size. A hash is nevertheless that of the picture at its
full size, but for 0 to 2 bits: two moving averages over `w` pixels are a tent `2 w` wide, and
where `pdqhash` places those, half a pixel off for an even `w`, is known (`_places`). Without
that, hashes of pictures 200 pixels wide would be 20 bits off, and mirrored ones up to 40.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.hashing import pdq
from core.hashing.variants.margins import Levels, margins
from core.hashing.variants.tilt import tilt
from core.settings.variant import Variant

Floats = NDArray[np.float32]

SIDE = 512
LEAST_QUALITY = 50

CROP_DETAIL, EDGE_DETAIL = 30, 60
"""What a crop of a banked picture has at least, and a query without one of its edges, which is the
blindest guess of all and meets crops in the bank; as quality, but see `_detail`."""

MIRRORED = ("margin", "rotation")
"""Kinds that are also seen in a mirror, with `orientation`; `edge` is too blind for two guesses."""

TURNS = tuple(sign * degrees for degrees in range(1, 7) for sign in (1, -1))
"""Degrees that a picture is turned back by when nothing shows that it was turned."""

CROPS = (
    *((cut, cut, cut, cut) for cut in (0.02, 0.035, 0.05, 0.065, 0.08)),
    *((cut, cut, cut, cut) for cut in (0.10, 0.12, 0.14, 0.16, 0.18, 0.20)),
    *((cut, 0, 0, 0) for cut in (0.05, 0.08, 0.10, 0.12, 0.15, 0.25)),
    *((0, cut, 0, 0) for cut in (0.05, 0.08, 0.10, 0.12, 0.15, 0.25)),
    *((0, 0, cut, 0) for cut in (0.05, 0.08, 0.10, 0.12, 0.15, 0.25)),
    *((0, 0, 0, cut) for cut in (0.05, 0.08, 0.10, 0.12, 0.15, 0.25)),
)
"""Of a banked picture: the shares cut off at the left, top, right and bottom."""

EDGES = ((0.25, 0, 0, 0), (0, 0.25, 0, 0), (0, 0, 0.25, 0), (0, 0, 0, 0.25), (0.2, 0.2, 0.2, 0.2))
"""Of a query. All are among `CROPS` too: what covers an edge or a corner is cut from both."""


@dataclass(frozen=True)
class Luma:
    """A reduced picture.

    Attributes:
        levels: by row and column, in gray levels.
        factor: how many pixels of the picture are one of these, along each axis.
        width, height: of the picture at its full size.
        contrast: times which the levels would use the whole range, at least 1, at most 4.
    """

    levels: Levels
    factor: int
    width: int
    height: int
    contrast: float

    @classmethod
    def of(cls, pixels: pdq.Pixels, factor: int = 1) -> "Luma":
        """Of an image as height x width of gray, or x 3 of red, green and blue.

        Args:
            factor: by how much it has been reduced already.
        """
        height, width = (factor * side for side in pixels.shape[:2])
        image = Image.fromarray(pixels)
        further = max(1, max(image.size) // SIDE)
        levels = np.asarray(image.reduce(further).convert("L"), np.float32)
        low, high = np.percentile(levels[::4, ::4], (1, 99))
        contrast = float(np.clip(200 / (high - low + 1), 1, 4))
        return cls(levels, factor * further, width, height, contrast)


Seen = Callable[[bool], pdq.Doubles]
"""The 64 x 64 samples of a variant, or of what a mirror shows of it if that is true."""


def variants(luma: Luma, kinds: Collection[str]) -> list[Variant]:
    """The hashes of a query's variants of these kinds, each hash once; of frames there are none."""
    found: dict[str, Variant] = {}
    if min(luma.width, luma.height) >= pdq.SMALLEST:
        for kind, name, samples in _sampled(luma, kinds):
            seen = samples * luma.contrast
            if kind == "edge" and _detail(seen) < EDGE_DETAIL:
                continue
            spectrum = pdq.Spectrum.of(seen)
            if spectrum.quality >= LEAST_QUALITY:
                value = spectrum.pdq().hash
                found.setdefault(value, Variant(kind, name, value))
    return list(found.values())


def _sampled(luma: Luma, kinds: Collection[str]) -> Iterator[tuple[str, str, pdq.Doubles]]:
    """The kind, the name and the samples of each variant."""
    if "orientation" in kinds:
        for name, samples in _orientations(luma):
            yield "orientation", name, samples
    for kind, seen_as in _SEEN.items():
        for seen in seen_as(luma) if kind in kinds else ():
            yield kind, kind, seen(False)
            if "orientation" in kinds and kind in MIRRORED:
                yield kind, f"{kind}, mirror", seen(True)


def crops(luma: Luma) -> list[str]:
    """The hashes of a banked picture's crops, each once."""
    if min(luma.width, luma.height) < 2 * pdq.SMALLEST:
        return []
    samples = (_cut(luma, *crop)(False) for crop in CROPS)
    spectra = (pdq.Spectrum.of(seen) for seen in samples if _detail(seen) >= CROP_DETAIL)
    return list(dict.fromkeys(s.pdq().hash for s in spectra if s.quality >= LEAST_QUALITY))


def _detail(samples: pdq.Doubles) -> float:
    """PDQ's quality if no step counted for more than 5 % of the range from black to white.

    The edge of one large shape makes a high quality. Its hash is that of any such edge, and among
    the crops of many pictures with one, the edge of a lens or the sun, some are alike.
    """
    steps = (np.abs(np.diff(samples, axis=axis)) * 100 / 255 for axis in (0, 1))
    return sum(float(np.floor(step).clip(0, 5).sum()) for step in steps) / 90


def turned(signal: str) -> list[Variant]:
    """What a PDQ hash would be of the same picture turned and mirrored: about what it would be.

    Mirroring changes the sign of every other coefficient. A bit says whether a coefficient is
    above their median, which is nearly zero, so its opposite nearly says it of the negative one:
    6 bits are wrong at the median for a picture of half a megapixel, and 20 for one 250 pixels
    wide, whose samples `pdqhash` takes half a pixel off the middle. Transposing is exact.
    """
    packed = np.frombuffer(bytes.fromhex(signal), np.uint8)
    upright = np.unpackbits(packed)[::-1].reshape(16, 16).astype(bool)
    odd = np.arange(1, 17) % 2 == 1
    found: dict[str, NDArray[np.bool_]] = {}
    for flipped, names in ((False, _ORIENTATIONS[:2]), (True, _ORIENTATIONS[2:])):
        for mirrored, pair in zip((False, True), names, strict=True):
            seen = upright ^ (odd & mirrored) ^ (odd & flipped)[:, None]
            found |= dict(zip(pair, (seen, seen.T), strict=True))
    del found["upright"]
    return [
        Variant("orientation", name, np.packbits(seen.ravel()[::-1]).tobytes().hex())
        for name, seen in found.items()
    ]


_ORIENTATIONS = (
    ("upright", "transpose"),
    ("mirror", "turn90"),
    ("flip", "turn270"),
    ("turn180", "transverse"),
)
"""As in `pdq.orientations`: as it is, mirrored, flipped, both; and each of them transposed."""


def _orientations(luma: Luma) -> Iterator[tuple[str, pdq.Doubles]]:
    rows = [_tents(luma.height, 0, luma.factor, back) @ luma.levels for back in (False, True)]
    columns = [_tents(luma.width, 0, luma.factor, back).T for back in (False, True)]
    for number, names in enumerate(_ORIENTATIONS):
        samples = (rows[number // 2] @ columns[number % 2]).astype(np.float64)
        yield from zip(names, (samples, samples.T), strict=True)


def _margins(luma: Luma) -> Iterator[Seen]:
    for box in margins(luma.levels):
        left, top, right, bottom = (luma.factor * place for place in box)
        yield _window(luma, left, top, min(right, luma.width), min(bottom, luma.height))


def _edges(luma: Luma) -> Iterator[Seen]:
    return (_cut(luma, *cut) for cut in EDGES)


def _contrast(luma: Luma) -> Iterator[Seen]:
    yield _cut(luma, 0, 0, 0, 0)


def _rotations(luma: Luma) -> Iterator[Seen]:
    # Their pixels are about as large as the tents, so that interpolating between them smoothes.
    smaller = max(1, round(max(luma.levels.shape) / 160))
    levels = np.asarray(Image.fromarray(luma.levels).reduce(smaller))
    for degrees, center, size in _turns(luma):
        yield partial(_turned_back, levels, luma.factor * smaller, degrees, center, size)


def _turns(luma: Luma) -> Iterator[tuple[float, tuple[float, float], tuple[float, float]]]:
    """Degrees, center and size of what may be the picture."""
    width, height = luma.width, luma.height
    center = width / 2, height / 2
    seen = tilt(luma.levels)
    if seen is not None:
        x, y = (luma.factor * place for place in seen.center)
        across, down = (luma.factor * side for side in seen.size)
        yield seen.degrees, (x, y), (across, down)
        yield seen.degrees, center, (width, height)
    for degrees in ((seen.degrees,) if seen else ()) + TURNS:
        angle = np.deg2rad(abs(degrees))
        # What a frame shows of a picture that was turned and cut until no corner is empty, and
        # again of that when it is turned back: a crop of the picture, as some banked ones are.
        share = 1 / (np.cos(angle) + max(width / height, height / width) * np.sin(angle))
        share = float(share**2 if seen and degrees == seen.degrees else share)
        yield degrees, center, (width * share, height * share)


_SEEN: dict[str, Callable[[Luma], Iterator[Seen]]] = {
    "margin": _margins,
    "rotation": _rotations,
    "edge": _edges,
    "contrast": _contrast,
}


def _cut(luma: Luma, left: float, top: float, right: float, bottom: float) -> Seen:
    """The picture without these shares of its width and height."""
    width, height = luma.width, luma.height
    return _window(luma, left * width, top * height, (1 - right) * width, (1 - bottom) * height)


def _window(luma: Luma, left: float, top: float, right: float, bottom: float) -> Seen:
    """A part of the picture, given in pixels of its full size."""
    k = luma.factor
    rows = slice(int(top / k), int(np.ceil(bottom / k)))
    columns = slice(int(left / k), int(np.ceil(right / k)))
    down = _tents(bottom - top, top - k * rows.start, k)
    part = luma.levels[rows, columns]
    sampled = down[:, : len(part)] @ part

    def seen(mirrored: bool) -> pdq.Doubles:
        across = _tents(right - left, left - k * columns.start, k, mirrored)
        return (sampled @ across[:, : part.shape[1]].T).astype(np.float64)

    return seen


def _places(size: float) -> tuple[NDArray[np.float64], int]:
    """The middles of the 64 samples along `size` pixels as `pdqhash` has them, and w."""
    window = -(-int(np.ceil(size)) // (2 * pdq.SAMPLES))
    ahead = (window + 2) // 2
    middles = np.floor((np.arange(pdq.SAMPLES) + 0.5) * size / pdq.SAMPLES)
    return middles + (2 * ahead - window - 1) + 0.5, window


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


def _turned_back(
    levels: Levels,
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
