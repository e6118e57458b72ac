"""Pictures to hash: real photographs, and files that only claim to be one."""

import io
from pathlib import Path

import skimage
from PIL import Image

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


def photograph(name: str = "astronaut.png") -> bytes:
    """A photograph as a PNG or JPEG file."""
    return (PHOTOGRAPHS / name).read_bytes()


def recompressed(picture: bytes, quality: int = 60) -> bytes:
    """An altered copy: the same picture as a JPEG, at four fifths of its size."""
    with Image.open(io.BytesIO(picture)) as image:
        small = image.convert("RGB").resize((image.width * 4 // 5, image.height * 4 // 5))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality)
    return out.getvalue()


def truncated() -> bytes:
    """The first half of a JPEG file."""
    whole = photograph("rocket.jpg")
    return whole[: len(whole) // 2]


def blank() -> bytes:
    """A picture of one colour, which PDQ can tell nothing about."""
    out = io.BytesIO()
    Image.new("RGB", (128, 128), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()
