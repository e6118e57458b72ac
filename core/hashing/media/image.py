"""Decoding images that nobody vouches for, to the pixels that people see.

threatexchange hands the raw array of any image to PDQ, and so hashes some as what they do not
show: the palette's indices instead of its colours (216 bits off), CMYK as if it were RGB (254),
16 bits clipped to 8, and a photograph that its camera held sideways (122 bits off its copies).
Here all become 8-bit RGB or gray, upright as EXIF says.

Transparency is ignored, as it is by threatexchange: the colours count, however little they show.
Of several frames or pages the first counts; the others are `frames`.

An image is kept as Pillow decodes it, four bytes a pixel, and becomes RGB a few rows at a time. A
copy of all of it would double the memory, and take longer than all that PDQ computes.
"""

import ctypes
import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from core.errors import BadInput, TooLarge, Unavailable

Source: TypeAlias = bytes | Path | IO[bytes]
"""A file's content, the path of a file, or an open file that can be read from its start again."""

FORMATS: tuple[str, ...] = (
    *("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"),
    *("DIB", "ICO", "PCX", "PPM", "QOI", "TGA"),
)
"""What is decoded. Pillow knows more, EPS among them, which it hands to Ghostscript to execute."""

with suppress(ImportError):  # the extra `heic`
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS += ("HEIF",)

with suppress(OSError, AttributeError):  # it is glibc's
    # At the first large image that is freed, malloc would begin to keep what it gets back, up to
    # 32 MB a piece, and the next one could come on top of it. Pillow's pieces have 16.
    _MMAP_THRESHOLD = -3
    ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 8 << 20)

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

_JPEG = ("JPEG", "MPO")
"""As Pillow has it; of several pictures in one MPO, the first is a plain JPEG."""

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
            return _packed(self.image, top, bottom).reshape(-1, *self.shape[1:])
        sideways = self.orientation in _SIDEWAYS
        box = (top, 0, bottom, height) if sideways else (0, top, width, bottom)
        return np.asarray(self._upright(_plain(self.image.crop(box))))

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
        return np.asarray(self._upright(_plain(self.image).reduce(factor).convert("L")))

    def _upright(self, image: Image.Image) -> Image.Image:
        turn = _UPRIGHT.get(self.orientation)
        return image if turn is None else image.transpose(turn)


def decode(source: Source, max_pixels: int, least: int | None = None) -> Picture:
    """The image in `source`.

    Args:
        max_pixels: how many pixels a plain image may have; fewer in formats that cost more.
        least: decode a JPEG in gray, at a half, a quarter or an eighth of its size as long as both
            sides have so many pixels. That takes a fraction of the time and of the memory.

    Raises:
        BadInput: it is no image in a known format, or is damaged; the message says what is wrong.
        TooLarge: its header says that it has more pixels. Nothing of it has been decoded then.
        Unavailable: it could not be read, for reasons that are ours.
    """
    with _checked(source, max_pixels) as image:
        size = image.size
        if least is not None:
            image.draft("L", (least, least))
        drafted = image.size != size or (least is not None and image.format in _JPEG)
        image.load()  # which turns a TIFF upright, and forgets its orientation
        _plain(image.crop((0, 0, 1, 1)))  # what cannot become RGB fails here
        return Picture(_ranged(image), _orientation(image), drafted, size)


def frames(source: Source, max_pixels: int) -> Iterator[Picture]:
    """The frames of an animation, or the pages of a document, but for the first.

    Each is to be used before the next is asked for. They end after `FRAMES`, before one of more
    than a quarter of `max_pixels` (decoders keep three of them, in four bytes a pixel), where all
    of them would have more than `max_pixels` together, and where one is damaged.

    Raises:
        BadInput, TooLarge, Unavailable: as `decode`, for what can be told from its start.
    """
    with _checked(source, max_pixels) as image:
        left = max_pixels
        for number in range(1, FRAMES):
            try:
                _check(image, source, max_pixels // 4)  # what is gone through to reach the next
                image.seek(number)
                _check(image, source, min(left, max_pixels // 4))
                left -= image.width * image.height
                image.load()
                picture = Picture(_ranged(image), _orientation(image))
                _plain(image.crop((0, 0, 1, 1)))
            except Exception as error:  # the last was the last, or this one is damaged
                if is_ours(error):
                    raise
                return
            yield picture


def plain_jpeg(source: Source, max_pixels: int) -> tuple[bytes, tuple[int, int], int] | None:
    """If `source` is a JPEG of one scan: its content, height and width, and EXIF's orientation.

    Raises:
        BadInput, TooLarge, Unavailable: as `decode`, for what can be told from its start.
    """
    with _checked(source, max_pixels) as image:
        if image.format not in _JPEG or "progressive" in image.info:
            return None
        return _content(source), (image.height, image.width), _orientation(image)


@contextmanager
def _checked(source: Source, max_pixels: int) -> Iterator[Image.Image]:
    """The image in `source`, of which only the header has been read, and its errors explained."""
    # Pillow's own guard holds for the process, and for images within images too. With our limit
    # it warns of those alone that are refused here, whether or not its warnings are errors.
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with _opened(source) as file, Image.open(file, formats=FORMATS) as image:
            _check(image, source, max_pixels)
            yield image
    except (TooLarge, Unavailable):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(max_pixels) from error
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise BadInput(f"not an image in any of {known}, or damaged at its start") from error
    except Exception as error:  # its decoders raise almost anything on damaged files
        if is_ours(error):
            raise Unavailable(f"the image cannot be read: {error}") from error
        raise BadInput(
            f"the image cannot be decoded: {str(error) or type(error).__name__}"
        ) from error


def is_ours(error: Exception) -> bool:
    """Whether this is the operating system's word on this machine, and not on what was sent."""
    sent = (None, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EINVAL)
    return isinstance(error, OSError) and error.errno not in sent


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    """The file as Pillow needs it: something that it can read, seek and tell."""
    if isinstance(source, Path):
        with source.open("rb") as opened:
            yield cast(IO[bytes], _Reader(opened))
    else:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        yield cast(IO[bytes], _Reader(file))


class _Reader:
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


def _check(image: Image.Image, source: Source, max_pixels: int) -> None:
    """Refuse what would cost too much to decode, by its header."""
    tiles = getattr(image, "tile", None)
    kinds = ["progressive JPEG" if "progressive" in image.info else image.format or ""]
    times = max(_TIMES.get(kind, 1) for kind in kinds + [tile[0] for tile in tiles or ()][:1])
    if "progressive" in image.info and _scans(source) > SCANS:
        raise TooLarge(f"the image has more than {SCANS} scans")
    if max(image.size) > SIDE:
        raise TooLarge(f"the image has more than {SIDE} pixels along a side")
    if image.width * image.height * times > max_pixels:
        raise _too_many(int(max_pixels / times))


def _scans(source: Source) -> int:
    """How many times `source`, a JPEG, starts a scan; the mark occurs nowhere else in its data."""
    return _content(source).count(b"\xff\xda")


def _content(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        return source.read_bytes()
    place = source.tell()
    source.seek(0)
    content = source.read()
    source.seek(place)
    return content


def _too_many(max_pixels: int) -> TooLarge:
    return TooLarge(f"the image has more than {max_pixels} pixels")


def _is_gray(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I;16")


def _plain(image: Image.Image) -> Image.Image:
    """RGB, or 8-bit gray where there is no colour."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "P":  # straight to RGB, Pillow warns of a palette with transparency
        image = image.convert("RGBA")
    mode = "L" if _is_gray(image) else "RGB"
    return image if image.mode == mode else image.convert(mode)  # which would copy it


def _packed(image: Image.Image, top: int, bottom: int) -> NDArray[np.uint8]:
    """Some rows of RGB or L as they are, in one copy: `crop` and `tobytes` make three of them.

    That is a fifth to a third of what hashing a large decoded image takes.
    """
    encoder = Image._getencoder(image.mode, "raw", image.mode)  # as `tobytes` has it, but for rows
    encoder.setimage(image.im, (0, top, image.width, bottom))
    size = (bottom - top) * image.width * len(image.getbands())
    _, status, rows = encoder.encode(size)
    assert status >= 0 and len(rows) == size  # noqa: PT018 - one thing: that all of it came
    return np.frombuffer(rows, np.uint8)


def _ranged(image: Image.Image) -> Image.Image:
    """Numbers of no agreed range as gray from black to white: PDQ sees neither scale nor offset."""
    if image.mode not in ("I", "F"):
        return image
    gray = Image.new("L", image.size)
    slabs = [
        (0, top, image.width, min(top + 64, image.height)) for top in range(0, image.height, 64)
    ]
    least = min(_numbers(image, box).min() for box in slabs)
    most = max(_numbers(image, box).max() for box in slabs)
    for box in slabs:
        values = (_numbers(image, box) - least) * (255 / ((most - least) or 1))
        gray.paste(Image.fromarray(values.astype(np.uint8)), box)
    return gray


def _numbers(image: Image.Image, box: tuple[int, int, int, int]) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(image.crop(box), np.float64), posinf=0, neginf=0)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damage to what is beside the picture leaves the picture as it is
        return 1
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1
