"""Opening images that nobody vouches for, once for all that is read from them.

A file's header is read, and refused by what it says, before anything is decoded. What is decoded
then, and how often, is for the caller: an opened image gives the content of a plain JPEG, for
a decoder of our own, its pixels, and the frames or pages after the first, which alone counts as
the image.

Knows nothing of hashes.
"""

import ctypes
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, cast

from PIL import Image, UnidentifiedImageError

from core.errors import BadInput, TooLarge, Unavailable
from core.hashing.media.limits import (
    FORMATS,
    FRAMES,
    LimitedReader,
    check_cost,
    too_many_pixels,
)
from core.hashing.media.media_source import MediaSource, is_machine_fault, open_source
from core.hashing.media.picture import Picture, orientation_of, plain, scale_to_gray

with suppress(OSError, AttributeError):  # it is glibc's
    # At the first large image that is freed, malloc would begin to keep what it gets back, up to
    # 32 MB a piece, and the next one could come on top of it. Pillow's pieces have 16.
    _MMAP_THRESHOLD = -3
    ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 8 << 20)

_JPEG = ("JPEG", "MPO")
"""As Pillow has it; of several pictures in one MPO, the first is a plain JPEG."""

_JPEG_START = b"\xff\xd8\xff"


class OpenedImage:
    """An image of which the header has been read and allowed, and nothing decoded.

    For one thread. The first picture is to be used before `frames` are asked for, since some
    formats decode each frame over the one before.
    """

    def __init__(self, file: IO[bytes], content: bytes, max_pixels: int) -> None:
        self._file = file
        self._content = content
        self._max_pixels = max_pixels
        self._decoded = False
        self._image = self._open()

    def plain_jpeg(self) -> bytes | None:
        """The content of a JPEG of one scan; None of anything else."""
        plainly = self._image.format in _JPEG and "progressive" not in self._image.info
        return self._content if plainly else None

    @property
    def stored_shape(self) -> tuple[int, int]:
        """Height and width, before it is turned as `orientation` says."""
        return self._image.height, self._image.width

    @property
    def orientation(self) -> int:
        """As EXIF has it, 1 to 8; of a TIFF, which is turned as it is decoded, only until then."""
        return orientation_of(self._image)

    def decode(self, least: int | None = None) -> Picture:
        """The first picture in it; the file is opened anew only if it has been decoded before.

        Args:
            least: decode a JPEG in gray, at a half, a quarter or an eighth of its size as long as
                both sides have so many pixels. That takes a fraction of the time and the memory.

        Raises:
            BadInput: it is damaged; the message says what is wrong.
            Unavailable: it could not be read, for reasons that are ours.
        """
        with _translate(self._max_pixels):
            if self._decoded:
                self._image = self._open()
            self._decoded = True
            image = self._image
            size = image.size
            if least is not None:
                image.draft("L", (least, least))
            drafted = image.size != size or (least is not None and image.format in _JPEG)
            image.load()  # which turns a TIFF upright, and forgets its orientation
            plain(image.crop((0, 0, 1, 1)))  # what cannot become RGB fails here
            return Picture(scale_to_gray(image), orientation_of(image), drafted, size)

    def frames(self) -> Iterator[Picture]:
        """The frames of an animation, or the pages of a document, but for the first.

        Each is to be used before the next is asked for. They end after `FRAMES`, before one of
        more than a quarter of the pixels allowed (decoders keep three of them, in four bytes a
        pixel), where all of them would have more than are allowed, and where one is damaged.

        Raises:
            Unavailable: one could not be read, for reasons that are ours.
        """
        left = self._max_pixels
        for number in range(1, FRAMES):
            with _translate(self._max_pixels):
                picture = self._frame(number, left)
            if picture is None:
                return
            height, width = picture.shape[:2]
            left -= height * width
            yield picture

    def _frame(self, number: int, left: int) -> Picture | None:
        image, most = self._image, self._max_pixels // 4
        try:
            check_cost(image, self._content, most)  # what is gone through to reach the next
            image.seek(number)
            check_cost(image, self._content, min(left, most))
            image.load()
            plain(image.crop((0, 0, 1, 1)))
            return Picture(scale_to_gray(image), orientation_of(image))
        except Exception as error:  # the last was the last, or this one is damaged
            if is_machine_fault(error):
                raise
            return None

    def _open(self) -> Image.Image:
        # Pillow's own guard holds for the process, and for images within images too. With our
        # limit it warns of those alone that are refused here, whether or not warnings are errors.
        Image.MAX_IMAGE_PIXELS = self._max_pixels
        image = Image.open(cast(IO[bytes], LimitedReader(self._file)), formats=FORMATS)
        check_cost(image, self._content, self._max_pixels)
        return image


@contextmanager
def open_image(source: MediaSource, max_pixels: int) -> Iterator[OpenedImage]:
    """The image in `source`, until the block ends.

    The whole of a JPEG is read, once; of other formats what is decoded.

    Args:
        max_pixels: how many pixels a plain image may have; fewer in formats that cost more.

    Raises:
        BadInput: it is no image in a known format, or is damaged at its start.
        TooLarge: its header says that it has more pixels. Nothing of it has been decoded then.
        Unavailable: it could not be read, for reasons that are ours.
    """
    with ExitStack() as files:
        with _translate(max_pixels):
            file = files.enter_context(open_source(source))
            content = b""
            if file.read(len(_JPEG_START)) == _JPEG_START:
                file.seek(0)
                content = file.read()
                file = io.BytesIO(content)
            opened = OpenedImage(file, content, max_pixels)
        yield opened


@contextmanager
def _translate(max_pixels: int) -> Iterator[None]:
    """What Pillow raises as what the sender, or we, should change."""
    try:
        yield
    except (TooLarge, Unavailable):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many_pixels(max_pixels) from error
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise BadInput(f"not an image in any of {known}, or damaged at its start") from error
    except Exception as error:  # its decoders raise almost anything on damaged files
        if is_machine_fault(error):
            raise Unavailable(f"the image cannot be read: {error}") from error
        raise BadInput(
            f"the image cannot be decoded: {str(error) or type(error).__name__}"
        ) from error
