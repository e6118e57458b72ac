"""A video to its vPDQ signal: the PDQ of a frame of each second.

Which frames these are is the `vpdq` package's choice. Imported only where videos are hashed:
matching needs no decoders.
"""

import time
from collections.abc import Callable, Iterator

from core.errors import TooLarge
from core.hashing import pdq
from core.hashing.checkpoint import go_on
from core.hashing.media.media_source import MediaSource
from core.hashing.media.video import MOST_PIXELS, read_each_second
from core.hashing.pdq import LEAST_QUALITY
from core.hashing.vpdq.signal import MOST_FRAMES, Frame, write_signal

SECONDS = 120.0
"""How long one video may take by default."""


def hash_video(
    source: MediaSource,
    max_pixels: int = MOST_PIXELS,
    seconds: float = SECONDS,
    *,
    between_steps: Callable[[], None] = go_on,
) -> str:
    """The vPDQ signal of a video; `""` if none of its frames has enough in it to count.

    Args:
        source: from a path or an open file it is streamed.
        max_pixels: of one frame, `MOST_PIXELS` at most.
        seconds: how long it may take.
        between_steps: called before each frame is hashed; what it raises ends the work.

    Raises:
        BadInput: it is no video in a known container, or is damaged.
        TooLarge: a frame has too many pixels, there are too many frames, or it took too long.
        Unavailable: PyAV is not installed, or the file could not be read for reasons of ours.
    """
    frames = []
    for frame in _hash_frames(source, max_pixels, time.monotonic() + seconds):
        between_steps()
        frames.append(frame)
    useful = any(frame.pdq.quality >= LEAST_QUALITY for frame in frames)
    return write_signal(frames) if useful else ""


def _hash_frames(source: MediaSource, max_pixels: int, until: float) -> Iterator[Frame]:
    for count, (timestamp, pixels) in enumerate(read_each_second(source, max_pixels, until)):
        if count == MOST_FRAMES:
            raise TooLarge(f"the video has more than {MOST_FRAMES} seconds")
        yield Frame(pdq.compute(pixels), timestamp)
