"""Decoding images that nobody vouches for, to the pixels that people see.

threatexchange hands the raw array of any image to PDQ, and so hashes some as what they do not
show: the palette's indices instead of its colours (216 bits off), CMYK as if it were RGB (254),
16 bits clipped to 8, and a photograph that its camera held sideways (122 bits off its copies).
Here all become 8-bit RGB first, upright as EXIF says.

Transparency is ignored, as it is by threatexchange: the colours count, however little they show.
Of several frames or pages the first counts.
"""

import io
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from core.errors import BadInput, TooLarge

Source: TypeAlias = bytes | Path | IO[bytes]
"""A file's content, the path of a file, or an open file that can be read from its start again."""

FORMATS = (
    *("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"),
    *("DIB", "ICO", "PCX", "PPM", "QOI", "TGA"),
)
"""What is decoded. Pillow knows more, EPS among them, which it hands to Ghostscript to execute."""

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


def decode(source: Source, max_pixels: int) -> NDArray[np.uint8]:
    """The pixels of an image as height x width x 3 bytes: red, green, blue.

    Raises:
        BadInput: it is no image in a known format, or is damaged; the message says what is wrong.
        TooLarge: its header says that it has more pixels. Nothing of it has been decoded then.
    """
    # Pillow's own guard holds for the process, and for images within images too. With our limit
    # it warns of those alone that are refused here, whether or not its warnings are errors.
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with Image.open(_opened(source), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise _too_many(max_pixels)
            image.load()  # which turns a TIFF upright, and forgets its orientation
            return np.asarray(_upright(_rgb(image), image))
    except TooLarge:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(max_pixels) from error
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise BadInput(f"not an image in any of {known}, or damaged at its start") from error
    except Exception as error:  # its decoders raise almost anything on damaged files
        raise BadInput(
            f"the image cannot be decoded: {str(error) or type(error).__name__}"
        ) from error


def _opened(source: Source) -> Path | IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _too_many(max_pixels: int) -> TooLarge:
    return TooLarge(f"the image has more than {max_pixels} pixels")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F"):
        image = _stretched(image)
    elif image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode == "P":  # straight to RGB, Pillow warns of a palette with transparency
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it


def _stretched(image: Image.Image) -> Image.Image:
    """Numbers of no agreed range as gray from black to white: PDQ sees neither scale nor offset."""
    values = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
    values -= values.min()
    return Image.fromarray((values * (255 / (values.max() or 1))).astype(np.uint8))


def _upright(rgb: Image.Image, image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damage to what is beside the picture leaves the picture as it is
        return rgb
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return rgb if turn is None else rgb.transpose(turn)
