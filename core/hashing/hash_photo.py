"""A photograph, opened once, to its PDQ, its variants and its crops.

Of a plain JPEG our decoder reads what PDQ needs, no more and only once; what variants and crops
are made of is left over from that. Anything else is decoded by Pillow, once for all of them.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.hashing import jpeg, pdq
from core.hashing.checkpoint import go_on
from core.hashing.media.image import OpenedImage, open_image
from core.hashing.media.media_source import MediaSource
from core.hashing.media.picture import Picture
from core.hashing.pdq import LEAST_QUALITY, Pdq
from core.hashing.variants.photo import hash_crops, hash_variants
from core.hashing.variants.reduced_picture import SIDE, ReducedPicture
from core.hashing.variants.reducing import ReducingRows
from core.settings import Settings
from core.settings.variant import Variant

FAST_LEAST = SIDE
"""Pixels of the shorter side at which PDQ sees nearly what it sees at full size: 2 bits off."""


@dataclass(frozen=True)
class PhotoHashes:
    """What a photograph hashes to.

    Attributes:
        pdq: in the mode of the settings.
        variants: what else it may have been before somebody altered it.
        crops: the hashes of the crops that people make of it.
    """

    pdq: Pdq
    variants: Sequence[Variant] = ()
    crops: Sequence[str] = ()


def hash_photo(
    source: MediaSource,
    settings: Settings,
    kinds: Collection[str] = (),
    *,
    crops: bool = False,
    between_steps: Callable[[], None] = go_on,
) -> PhotoHashes:
    """The PDQ of an image in the mode that the settings say, its variants and its crops.

    In mode `fast` a JPEG is read no further than need be, unless what is seen then leaves open what
    the hash would be. It is opened again only then, and where rounding errors decide.

    Args:
        kinds: of variants.
        crops: whether crops are hashed.
        between_steps: called after each step; what it raises ends the work.

    Raises:
        BadInput: it is no image in a known format, or is damaged; the message says what is wrong.
        TooLarge: it has more pixels than the settings allow.
        Unavailable: it could not be read, for reasons that are ours.
    """
    with open_image(source, settings.max_pixels) as image:
        reading = _Reading(image, reduces=crops or bool(set(kinds) - {"frame"}))
        value = reading.pdq(fast=settings.pdq_mode == "fast")
        between_steps()
        frames = _hash_frames(image, between_steps) if "frame" in kinds else []
    if reading.reduced is None:
        return PhotoHashes(value, frames)
    variants = hash_variants(reading.reduced, kinds)
    between_steps()
    return PhotoHashes(value, variants + frames, hash_crops(reading.reduced) if crops else ())


class _Reading:
    """One image on its way to its PDQ, and what is left over of it.

    Attributes:
        reduced: the image made smaller, once it has been read; None unless it `reduces`.
    """

    def __init__(self, image: OpenedImage, *, reduces: bool) -> None:
        self._image = image
        self._reduces = reduces
        self.reduced: ReducedPicture | None = None

    def pdq(self, *, fast: bool) -> Pdq:
        """The hash, of less than the whole image if that will do and is `fast`."""
        with suppress(NotImplementedError):
            if content := self._image.plain_jpeg():
                return self._hash_jpeg(content, fast)
        if fast:
            picture = self._image.decode(FAST_LEAST)
            approximate = pdq.approximate(picture, picture.full) if picture.reduced else None
            if approximate or not picture.reduced:
                self._reduce_picture(picture)
                return approximate or pdq.compute(picture, LEAST_QUALITY)
        picture = self._image.decode()
        self._reduce_picture(picture)
        return pdq.compute(picture, LEAST_QUALITY)

    def _hash_jpeg(self, content: bytes, fast: bool) -> Pdq:
        """By our own decoder.

        Raises:
            NotImplementedError: the file is not for it.
        """
        orientation = self._image.orientation
        if fast and (approximate := self._approximate_jpeg(content, orientation)):
            return approximate
        rows: pdq.Rows = jpeg.Luma(content)
        if self._reduces:
            rows = reducing = ReducingRows(rows)
        value = pdq.by_matrix(rows, LEAST_QUALITY, orientation)
        if self._reduces:
            self._reduce_jpeg(reducing.levels(), orientation)
        if value is None:
            upright = jpeg.Luma(content) if orientation == 1 else self._image.decode()
            value = pdq.by_definition(upright)
        return value

    def _approximate_jpeg(self, content: bytes, orientation: int) -> Pdq | None:
        """Of the lowest frequencies of its blocks; None where that leaves the hash open."""
        shape = self._image.stored_shape
        keep = needed = pdq.frequencies_needed(shape)
        if needed > jpeg.BLOCK:
            return None
        if self._reduces:
            keep = max(keep, jpeg.pixels_needed(shape, SIDE))
        lowest = jpeg.frequencies(content, keep)
        value = pdq.approximate(
            jpeg.lower_frequencies(lowest, keep, needed), shape, needed, orientation
        )
        if value and self._reduces:
            pixels = jpeg.pixels_needed(shape, SIDE)
            frequencies = jpeg.lower_frequencies(lowest, keep, pixels)
            self._reduce_jpeg(jpeg.reduce(frequencies, pixels, shape), orientation)
        return value

    def _reduce_picture(self, picture: Picture) -> None:
        if self._reduces:
            full = picture.full if picture.reduced else picture.shape
            self.reduced = ReducedPicture.from_pixels(picture.luma(SIDE), full)

    def _reduce_jpeg(self, levels: NDArray[Any], orientation: int) -> None:
        height, width = self._image.stored_shape
        flipped, mirrored, swapped = pdq.AS_SEEN[orientation]
        seen = levels[:: -1 if flipped else 1, :: -1 if mirrored else 1]
        full = (width, height) if swapped else (height, width)
        upright = np.ascontiguousarray(seen.T if swapped else seen)
        self.reduced = ReducedPicture.from_pixels(upright, full)


def _hash_frames(image: OpenedImage, between_steps: Callable[[], None]) -> list[Variant]:
    variants: dict[str, Variant] = {}
    for number, picture in enumerate(image.frames(), start=2):
        between_steps()
        value = pdq.compute(picture, LEAST_QUALITY)
        if value.quality >= LEAST_QUALITY:
            variants.setdefault(value.hash, Variant("frame", f"frame {number}", value.hash))
    return list(variants.values())
