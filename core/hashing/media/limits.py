"""What an image's file may cost to decode, as its header has it, and which formats are decoded.

Knows nothing of pixels.
"""

from contextlib import suppress
from types import MappingProxyType
from typing import IO

from PIL import Image

from core.errors import TooLarge

FORMATS: tuple[str, ...] = (
    *("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"),
    *("DIB", "ICO", "PCX", "PPM", "QOI", "TGA"),
)
"""What is decoded. Pillow knows more, EPS among them, which it hands to Ghostscript to execute."""

with suppress(ImportError):  # the extra `heic`
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS += ("HEIF",)

SCANS = 64
"""Most passes over a progressive JPEG: encoders make about ten, and each costs its whole size."""

SIDE = 32_767
"""Longest side in pixels: a longer one is a thread or a bomb, and PDQ takes steps along each."""

READS = 500_000
"""Most times that a decoder reads from a file: a header of a million parts costs seconds."""

FRAMES = 256
"""Most frames that are looked at, the first included."""

_TIMES = MappingProxyType(
    {
        **dict.fromkeys(("TIFF", "HEIF"), 2),
        **dict.fromkeys(("progressive JPEG", "AVIF"), 2.5),
        **dict.fromkeys(("WEBP",), 4),
        **dict.fromkeys(("JPEG2000",), 5),
        **dict.fromkeys(("qoi", "bmp_rle", "ppm", "ppm_plain"), 32),
    }
)
"""How many times as much as a plain image of its size costs to decode, by format or by codec.

Most take four bytes a pixel. These hold several copies meanwhile, measured at 7 to 20 bytes, or
are decoded in Python, at 0.7 microseconds a pixel.
"""


class LimitedReader:
    """What Pillow asks of a file, so many times and not more."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file = file
        self._left = READS

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise TooLarge("the image's file is cut into more parts than any needs")
        return self._file.read(size)


def check_cost(image: Image.Image, content: bytes, max_pixels: int) -> None:
    """Refuse what would cost too much to decode, by its header.

    Args:
        content: of the whole file, if it is a JPEG.
        max_pixels: how many a plain image may have; fewer in formats that cost more.

    Raises:
        TooLarge: it has more pixels, is longer along a side, or has more passes.
    """
    tiles = getattr(image, "tile", None)
    kinds = ["progressive JPEG" if "progressive" in image.info else image.format or ""]
    times = max(_TIMES.get(kind, 1) for kind in kinds + [tile[0] for tile in tiles or ()][:1])
    # The mark that a scan begins with occurs nowhere else in a JPEG's data.
    if "progressive" in image.info and content.count(b"\xff\xda") > SCANS:
        raise TooLarge(f"the image has more than {SCANS} scans")
    if max(image.size) > SIDE:
        raise TooLarge(f"the image has more than {SIDE} pixels along a side")
    if image.width * image.height * times > max_pixels:
        raise too_many_pixels(int(max_pixels / times))


def too_many_pixels(max_pixels: int) -> TooLarge:
    """The refusal of an image that has more than so many."""
    return TooLarge(f"the image has more than {max_pixels} pixels")
