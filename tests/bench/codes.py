"""Codes to measure search on: random ones, and ones made from photographs and their alterations."""

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from core.hashing.pdq import compute
from core.index.layers.columns import Columns
from core.index.layers.kinds import layer_kind
from core.index.layers.packed import Packed, Texts

Bits = NDArray[np.uint8]

COPIES = 25
"""Alterations of each original in the photographs' set."""

CHUNK = 1_000_000


def one_bank(kind: str, first_id: int, signals: Packed) -> Columns:
    """`signals` as contents of one bank that say no more, a signal each, by ascending id."""
    count = len(signals)
    return Columns(
        layer_kind(kind),
        np.arange(first_id, first_id + count),
        np.ones(count, np.int64),
        np.ones(count, np.int64),
        Texts(np.empty(0, np.uint8), np.zeros(count + 1, np.int64)),
        np.empty(0, np.int64),
        np.arange(count, dtype=np.uint32),
        signals,
    )


def random_codes(rows: int, seed: int = 1) -> Iterator[Bits]:
    """`rows` random codes, in chunks of shape (n, 32)."""
    rng = np.random.default_rng(seed)
    for start in range(0, rows, CHUNK):
        yield rng.integers(0, 256, (min(CHUNK, rows - start), 32), dtype=np.uint8)


def photograph_codes(rows: int, seed: int = 1) -> Iterator[Bits]:
    """`rows` codes as uneven as real ones: PDQ of crops of photographs, and of altered copies.

    Originals are crops of real photographs, hashed. A copy is an original with the bits flipped
    that some real alteration of some crop flipped: hashing ten million altered images takes a day.
    """
    rng = np.random.default_rng(seed)
    changes = _alteration_patterns()
    originals = _crop_codes(max(1, min(rows // COPIES, 400_000)))
    for start in range(0, rows, CHUNK):
        size = min(CHUNK, rows - start)
        chosen = originals[rng.integers(len(originals), size=size)]
        yield chosen ^ changes[rng.integers(len(changes), size=size)]


SETS = {"random": random_codes, "photographs": photograph_codes}


@cache
def _photographs() -> tuple[Image.Image, ...]:
    folder = Path(skimage.__file__).parent / "data"
    paths = sorted([*folder.glob("*.png"), *folder.glob("*.jpg")])
    images = [Image.open(path).convert("RGB") for path in paths]
    return tuple(image for image in images if min(image.size) >= 200)


def _crop(rng: np.random.Generator) -> Image.Image:
    image = _photographs()[rng.integers(len(_photographs()))]
    width, height = (int(side * rng.uniform(0.2, 0.9)) for side in image.size)
    left = int(rng.integers(image.width - width))
    top = int(rng.integers(image.height - height))
    crop = image.crop((left, top, left + width, top + height)).resize((96, 96))
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop


def _code(image: Image.Image) -> Bits:
    return np.frombuffer(bytes.fromhex(compute(np.asarray(image.convert("RGB"))).hash), np.uint8)


def _crop_codes(count: int) -> Bits:
    """Codes of real crops; past 20,000 of them, mixtures of two crops' pictures' codes by bit."""
    rng = np.random.default_rng(7)
    real = np.stack([_code(_crop(rng)) for _ in range(min(count, 20_000))])
    if count <= len(real):
        return real
    # A real code with a third of its bits taken from another: as uneven, and new.
    one, other = (real[rng.integers(len(real), size=count - len(real))] for _ in range(2))
    taken = np.packbits(rng.random((count - len(real), 256)) < 1 / 3, axis=1)
    return np.concatenate([real, (one & ~taken) | (other & taken)])


@cache
def _alteration_patterns() -> Bits:
    rng = np.random.default_rng(8)
    patterns = []
    for _ in range(400):
        crop = _crop(rng).resize((256, 256))
        code = _code(crop)
        patterns += [code ^ _code(copy) for copy in _altered(crop)]
    return np.stack(patterns)


def _altered(image: Image.Image) -> Iterator[Image.Image]:
    for quality in (20, 50, 80):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        yield Image.open(file)
    yield image.resize((128, 128))
    yield image.crop((3, 3, 253, 253))
    yield ImageEnhance.Brightness(image).enhance(1.3)
    yield ImageEnhance.Contrast(image).enhance(0.7)
    yield image.filter(ImageFilter.GaussianBlur(1.5))
