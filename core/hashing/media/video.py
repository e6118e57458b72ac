"""Decoding videos that nobody vouches for, to a frame of each second.

FFmpeg decodes, through PyAV, whose wheels hold it. As of pictures, it is given what people see: a
video that says that it is to be turned is turned.

Memory holds the decoder's own frames and one more, however long the video is. What a file may cost
is bounded by `MOST_PIXELS` a frame and a time limit. FFmpeg reads playlists too, whose entries are
other files and URLs: only the containers in `FORMATS` are opened, and nothing else that a file asks
for.

Knows nothing of hashes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from core.errors import BadInput, TooLarge, Unavailable
from core.hashing.media.media_source import MediaSource, is_machine_fault, open_source

FORMATS = (
    *("mov", "mp4", "3gp", "matroska", "webm", "avi", "flv", "mpegts", "mpeg", "mpegvideo"),
    *("ogg", "asf", "gif", "ivf", "mxf", "m4v", "h264", "hevc"),
)
"""Containers that are opened, by FFmpeg's names."""

MOST_PIXELS = 4096 * 2304
"""In a frame. A decoder keeps up to 17 of them, in 1.5 to 3 bytes a pixel."""


def read_each_second(
    source: MediaSource, max_pixels: int, until: float
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Of the first stream that shows something, a frame of each second, with its time in seconds.

    Counted from 0, those whose number is a multiple of the whole frames in a second: RGB, shape
    (height, width, 3).

    Args:
        source: from a path or an open file it is streamed.
        max_pixels: of one frame, `MOST_PIXELS` at most.
        until: by the monotonic clock, when it is to be done.

    Raises:
        BadInput: it is no video in a known container, or is damaged.
        TooLarge: a frame has too many pixels, or it took too long.
        Unavailable: PyAV is not installed, or the file could not be read for reasons of ours.
    """
    max_pixels = min(max_pixels, MOST_PIXELS)
    with _translate(), _open(source, max_pixels, until) as container:
        if not container.streams.video:
            raise BadInput("the file has no video in it")
        stream = container.streams.video[0]
        _check(stream.codec_context, max_pixels)
        stream.codec_context.thread_count = 1  # as many videos at once as there are threads
        rate = float(stream.average_rate or stream.base_rate or 0)
        if not rate:
            raise BadInput("the video does not say how many frames it has in a second")
        every = int(rate) or 1
        for number, frame in enumerate(container.decode(stream)):
            if time.monotonic() > until:
                raise TooLarge("the video takes too long to decode")
            if number % every == 0:
                _check(frame, max_pixels)
                yield number / rate, _upright(frame)


@contextmanager
def _open(source: MediaSource, max_pixels: int, until: float) -> Iterator[Any]:
    """The container in `source`, as PyAV has it."""
    import av  # noqa: PLC0415 - an extra

    # By its name alone FFmpeg might take a file for a pattern or for an address: it gets none.
    with (
        open_source(source) as file,
        av.open(
            SimpleNamespace(read=file.read, seek=file.seek, tell=file.tell),
            "r",
            options={"format_whitelist": ",".join(FORMATS), "max_pixels": str(max_pixels)},
            io_open=_refuse,
            timeout=max(until - time.monotonic(), 0.1),
        ) as container,
    ):
        yield container


def _refuse(url: str, flags: int, options: object) -> NoReturn:  # noqa: ARG001
    raise BadInput("the video refers to another file")


@contextmanager
def _translate() -> Iterator[None]:
    """What PyAV raises as what the sender, or we, should change."""
    try:
        import av.error  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable(
            f"videos cannot be hashed to vpdq here: {error}. Install hma-functions[vpdq]"
        ) from error
    try:
        yield
    except (BadInput, TooLarge):
        raise
    except Exception as error:  # of damaged files: nearly anything
        if is_machine_fault(error) and not isinstance(error, av.error.FFmpegError):
            raise Unavailable(f"the video cannot be read: {error}") from error
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadInput(f"the video cannot be decoded: {why}") from error


def _check(shape: Any, max_pixels: int) -> None:
    if shape.width * shape.height > max_pixels:
        raise TooLarge(f"the video has more than {max_pixels} pixels in a frame")


def _upright(frame: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4  # against the clock
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
