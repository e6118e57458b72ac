"""Other pictures that a copy may have been before somebody altered it, and their PDQ hashes.

PDQ forgives recompression and resizing, and little else. So a query is also hashed as it would
be turned or mirrored, without its margins, turned back by some degrees, without one of its edges,
and with full contrast; and of a banked picture, the crops that people make of it can be kept.
Who mirrors a picture frames or turns it, too, so what is found by these is also seen in a mirror.
Whichever is right, matches; the others are hashes of pictures that nobody has banked. Each is
dropped if its quality is too low for its hash to mean much, as any picture is.

Knows nothing of files: it is handed a reduced picture.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial

import numpy as np
from PIL import Image

from core.hashing import pdq
from core.hashing.variants import orientation
from core.hashing.variants.margins.find_margins import find_margins
from core.hashing.variants.reduced_picture import ReducedPicture, Window, sample_turned
from core.hashing.variants.tilt import find_tilt
from core.settings.variant import Variant

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


def hash_variants(picture: ReducedPicture, kinds: Collection[str]) -> list[Variant]:
    """The hashes of a query's variants of these kinds, each hash once; of frames there are none."""
    variants: dict[str, Variant] = {}
    if min(picture.width, picture.height) >= pdq.SMALLEST:
        for kind, name, samples in _sample(picture, kinds):
            full_range = samples * picture.contrast
            if kind == "edge" and _detail(full_range) < EDGE_DETAIL:
                continue
            value = pdq.from_samples(full_range)
            if value.quality >= pdq.LEAST_QUALITY:
                variants.setdefault(value.hash, Variant(kind, name, value.hash))
    return list(variants.values())


def _sample(
    picture: ReducedPicture, kinds: Collection[str]
) -> Iterator[tuple[str, str, pdq.Doubles]]:
    """The kind, the name and the samples of each variant."""
    if "orientation" in kinds:
        for name, samples in _orientations(picture):
            yield "orientation", name, samples
    for kind, windows_of in _WINDOWS.items():
        for window in windows_of(picture) if kind in kinds else ():
            yield kind, kind, window(False)
            if "orientation" in kinds and kind in MIRRORED:
                yield kind, f"{kind}, mirror", window(True)


def hash_crops(picture: ReducedPicture) -> list[str]:
    """The hashes of a banked picture's crops, each once."""
    if min(picture.width, picture.height) < 2 * pdq.SMALLEST:
        return []
    samples = (picture.without(*crop)(False) for crop in CROPS)
    values = (pdq.from_samples(crop) for crop in samples if _detail(crop) >= CROP_DETAIL)
    return list(dict.fromkeys(v.hash for v in values if v.quality >= pdq.LEAST_QUALITY))


def _detail(samples: pdq.Doubles) -> float:
    """PDQ's quality if no step counted for more than 5 % of the range from black to white.

    The edge of one large shape makes a high quality. Its hash is that of any such edge, and among
    the crops of many pictures with one, the edge of a lens or the sun, some are alike.
    """
    steps = (np.abs(np.diff(samples, axis=axis)) * 100 / 255 for axis in (0, 1))
    return sum(float(np.floor(step).clip(0, 5).sum()) for step in steps) / 90


def _orientations(picture: ReducedPicture) -> Iterator[tuple[str, pdq.Doubles]]:
    for names, samples in zip(orientation.NAMES, picture.orientations(), strict=True):
        yield from zip(names, (samples, samples.T), strict=True)


def _margins(picture: ReducedPicture) -> Iterator[Window]:
    for box in find_margins(picture.levels):
        left, top, right, bottom = (picture.factor * place for place in box)
        yield picture.window(left, top, min(right, picture.width), min(bottom, picture.height))


def _edges(picture: ReducedPicture) -> Iterator[Window]:
    return (picture.without(*cut) for cut in EDGES)


def _contrast(picture: ReducedPicture) -> Iterator[Window]:
    yield picture.without(0, 0, 0, 0)


def _rotations(picture: ReducedPicture) -> Iterator[Window]:
    # Their pixels are about as large as the tents, so that interpolating between them smoothes.
    smaller = max(1, round(max(picture.levels.shape) / 160))
    levels = np.asarray(Image.fromarray(picture.levels).reduce(smaller))
    for degrees, center, size in _turns(picture):
        yield partial(sample_turned, levels, picture.factor * smaller, degrees, center, size)


def _turns(
    picture: ReducedPicture,
) -> Iterator[tuple[float, tuple[float, float], tuple[float, float]]]:
    """Degrees, center and size of what may be the picture."""
    width, height = picture.width, picture.height
    center = width / 2, height / 2
    tilt = find_tilt(picture.levels)
    if tilt is not None:
        x, y = (picture.factor * place for place in tilt.center)
        across, down = (picture.factor * side for side in tilt.size)
        yield tilt.degrees, (x, y), (across, down)
        yield tilt.degrees, center, (width, height)
    for degrees in ((tilt.degrees,) if tilt else ()) + TURNS:
        angle = np.deg2rad(abs(degrees))
        # What a frame shows of a picture that was turned and cut until no corner is empty, and
        # again of that when it is turned back: a crop of the picture, as some banked ones are.
        share = 1 / (np.cos(angle) + max(width / height, height / width) * np.sin(angle))
        share = float(share**2 if tilt and degrees == tilt.degrees else share)
        yield degrees, center, (width * share, height * share)


_WINDOWS: dict[str, Callable[[ReducedPicture], Iterator[Window]]] = {
    "margin": _margins,
    "rotation": _rotations,
    "edge": _edges,
    "contrast": _contrast,
}
