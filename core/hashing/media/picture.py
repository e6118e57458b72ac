"""A decoded image as rows of 8-bit RGB or gray, upright, whatever its file keeps.

threatexchange hands the raw array of any image to PDQ, and so hashes some as what they do not
show: the palette's indices instead of its colours (216 bits off), CMYK as if it were RGB (254),
16 bits clipped to 8, and a photograph that its camera held sideways (122 bits off its copies).
Here all become 8-bit RGB or gray, upright as EXIF says.

Transparency is ignored, as it is by threatexchange: the colours count, however little they show.

An image is kept as Pillow decodes it, four bytes a pixel, and becomes RGB a few rows at a time. A
copy of all of it would double the memory, and take longer than all that PDQ computes.

Knows nothing of files and of what they may cost.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

_UPRIGHT = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
"""What makes an image upright, by its EXIF orientation."""

_SIDEWAYS = (5, 6, 7, 8)
"""Orientations that swap rows and columns."""

_BACKWARDS = (3, 4, 7, 8)
"""Orientations whose first row, when upright, is the last row or column as stored."""


BAND = 64
"""Rows that are worked on at once, where a copy of all of them would cost too much memory."""


@dataclass(frozen=True)
class Picture:
    """A decoded image, of which any rows can be had as people see them.

    Attributes:
        image: as it is stored.
        orientation: as EXIF has it, 1 to 8.
        reduced: whether it was decoded with fewer pixels than it has, or in gray.
        size: width and height in the file, before it was reduced.
    """

    image: Image.Image
    orientation: int = 1
    reduced: bool = False
    size: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width, and 3 if it has colours."""
        width, height = self.image.size
        size = (width, height) if self.orientation in _SIDEWAYS else (height, width)
        return size if _is_gray(self.image) else (*size, 3)

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        """Some rows as bytes: of red, green and blue, or of gray."""
        top, bottom, _ = rows.indices(self.shape[0])
        if self.orientation in _BACKWARDS:
            top, bottom = self.shape[0] - bottom, self.shape[0] - top
        width, height = self.image.size
        if self.orientation == 1 and self.image.mode in ("RGB", "L") and top < bottom:
            return _copy_rows(self.image, top, bottom).reshape(-1, *self.shape[1:])
        sideways = self.orientation in _SIDEWAYS
        box = (top, 0, bottom, height) if sideways else (0, top, width, bottom)
        return np.asarray(self._upright(plain(self.image.crop(box))))

    @property
    def full(self) -> tuple[int, int]:
        """Height and width before it was reduced."""
        width, height = self.size
        return (width, height) if self.orientation in _SIDEWAYS else (height, width)

    def luma(self, least: int) -> NDArray[np.uint8]:
        """All of it in gray, made smaller as long as both sides have `least` pixels.

        Good to try variants of a hash on: it is some bits off that of the image itself.
        """
        factor = max(1, min(self.image.size) // least)
        if self.image.mode in ("RGB", "L"):
            return np.asarray(self._upright(self.image.reduce(factor).convert("L")))
        width, height = self.image.size
        gray = Image.new("L", (-(-width // factor), -(-height // factor)))
        for top in range(0, height, BAND * factor):
            band = self.image.crop((0, top, width, min(top + BAND * factor, height)))
            gray.paste(plain(band).reduce(factor).convert("L"), (0, top // factor))
        return np.asarray(self._upright(gray))

    def _upright(self, image: Image.Image) -> Image.Image:
        turn = _UPRIGHT.get(self.orientation)
        return image if turn is None else image.transpose(turn)


def _is_gray(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I;16")


def plain(image: Image.Image) -> Image.Image:
    """A copy in RGB, or 8-bit gray where there is no colour."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "P":  # straight to RGB, Pillow warns of a palette with transparency
        image = image.convert("RGBA")
    mode = "L" if _is_gray(image) else "RGB"
    return image if image.mode == mode else image.convert(mode)  # which would copy it


def _copy_rows(image: Image.Image, top: int, bottom: int) -> NDArray[np.uint8]:
    """Some rows of RGB or L as they are, in one copy: `crop` and `tobytes` make three of them.

    That is a fifth to a third of what hashing a large decoded image takes.
    """
    encoder = Image._getencoder(image.mode, "raw", image.mode)  # as `tobytes` has it, but for rows
    encoder.setimage(image.im, (0, top, image.width, bottom))
    size = (bottom - top) * image.width * len(image.getbands())
    _, status, rows = encoder.encode(size)
    assert status >= 0 and len(rows) == size  # noqa: PT018 - one thing: that all of it came
    return np.frombuffer(rows, np.uint8)


def scale_to_gray(image: Image.Image) -> Image.Image:
    """Numbers of no agreed range as gray from black to white: PDQ sees neither scale nor offset."""
    if image.mode not in ("I", "F"):
        return image
    gray = Image.new("L", image.size)
    slabs = [
        (0, top, image.width, min(top + BAND, image.height)) for top in range(0, image.height, BAND)
    ]
    least = min(_numbers(image, box).min() for box in slabs)
    most = max(_numbers(image, box).max() for box in slabs)
    for box in slabs:
        values = (_numbers(image, box) - least) * (255 / ((most - least) or 1))
        gray.paste(Image.fromarray(values.astype(np.uint8)), box)
    return gray


def _numbers(image: Image.Image, box: tuple[int, int, int, int]) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(image.crop(box), np.float64), posinf=0, neginf=0)


def orientation_of(image: Image.Image) -> int:
    """As EXIF has it, 1 to 8."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damage to what is beside the picture leaves the picture as it is
        return 1
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1
