"""Photographs that come with scikit-image, and copies of them altered as people alter copies."""

import io
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from PIL import Image

BANKED = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "motorcycle_right.png",
    "rocket.jpg",
)

OTHER = "motorcycle_left.png"
"""The same scene as `motorcycle_right.png` a step to the left: alike, and not a copy of it."""


def photo(name: str) -> Path:
    """The file of a photograph."""
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / name


def _halve(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def _crop(image: Image.Image) -> Image.Image:
    across, down = image.width // 100, image.height // 100
    return image.crop((across, down, image.width - across, image.height - down))


def _recompress(image: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(_jpeg(image, 20)))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


ALTERATIONS: Mapping[str, Callable[[Image.Image], Image.Image]] = MappingProxyType(
    {
        "half size": _halve,
        "quality 20": _recompress,
        "crop by 2 %": _crop,
        "all three": lambda image: _recompress(_halve(_crop(image))),
    }
)


def alter_photo(name: str, alteration: str) -> bytes:
    """A JPEG of the photograph `name` after one of `ALTERATIONS`."""
    with Image.open(photo(name)) as image:
        return _jpeg(ALTERATIONS[alteration](image), 90)
