"""vPDQ: a video as the PDQ of a frame each second.

| file | knows |
|---|---|
| `signal` | how such a signal is written, and when two of them match |
| `hash_video` | a video to its signal; imported only where videos are hashed |
"""

from core.hashing.vpdq.signal import (
    DISTANCE,
    MOST_FRAMES,
    Frame,
    VpdqSimilarity,
    compare,
    normalise_signal,
    read_frames,
    read_hashes,
    write_signal,
)

__all__ = [
    "DISTANCE",
    "MOST_FRAMES",
    "Frame",
    "VpdqSimilarity",
    "compare",
    "normalise_signal",
    "read_frames",
    "read_hashes",
    "write_signal",
]
