"""vPDQ, a perceptual hash of videos: the PDQ of a frame each second, and when two of them match.

The signal is threatexchange's: a JSON list of `hash,quality,timestamp`, one text for each frame.
So is the rule, that of `threatexchange.extensions.vpdq`: frames of too little quality count for
nothing, and of several that are equal one counts. Two frames match within `DISTANCE` bits. A query
matches a video if so many per cent of its frames match one of the video's, and so many of the
video's one of its. That module cannot be imported without the `vpdq` package, which needs a C++
compiler and FFmpeg's headers; matching needs neither.

Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019)
for the hash of a frame, threatexchange's README of vpdq for the rest.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.index import SignalSimilarityInfo

from core.hashing.pdq import LEAST_QUALITY, Pdq

DISTANCE = 31
"""Most bits, inclusive, by which two frames that match may differ."""

QUERY_PERCENT = 80.0
"""Least share of the query's frames that must match."""

COMPARED_PERCENT = 0.0
"""Least share of the other video's frames that must: any excerpt of it will do."""

MOST_FRAMES = 20_000
"""In one signal: five and a half hours."""

_BLOCK = 256
"""Frames compared at once with all of the other video: 20 MB of products at most."""

_FRAME = re.compile(r"([0-9a-fA-F]{64}),([0-9]{1,3}),([0-9.eE+-]{1,24})")


@dataclass(frozen=True)
class Frame:
    """One hashed frame.

    Attributes:
        pdq: 64 hexadecimal digits, and a quality from 0 to 100.
        timestamp: seconds since the video's beginning.
    """

    pdq: Pdq
    timestamp: float


@dataclass(frozen=True)
class VpdqSimilarity(SignalSimilarityInfo):  # type: ignore[misc]
    """How much of two videos matches, under the names that answers have for it."""

    query_match_percent: float
    compared_match_percent: float

    def pretty_str(self) -> str:
        return f"{self.query_match_percent:.0f}%[{self.compared_match_percent:.0f}%]"

    @property
    def matches(self) -> bool:
        return (
            self.query_match_percent >= QUERY_PERCENT
            and self.compared_match_percent >= COMPARED_PERCENT
        )


def write_signal(frames: Iterable[Frame]) -> str:
    """The signal of `frames`, to the letter as threatexchange writes it."""
    return json.dumps(
        [f"{frame.pdq.hash},{frame.pdq.quality},{frame.timestamp:.3}" for frame in frames]
    )


def read_frames(signal: str) -> list[Frame]:
    """The frames of a signal.

    Raises:
        ValueError: it is none, or has more than `MOST_FRAMES`.
    """
    texts = json.loads(signal)
    if not isinstance(texts, list):
        raise ValueError("a vpdq signal is a JSON list of frames")  # noqa: TRY004 - of a text
    if len(texts) > MOST_FRAMES:
        raise ValueError(f"a vpdq signal has at most {MOST_FRAMES} frames")
    return [_frame(text) for text in texts]


def normalise_signal(signal: str) -> str:
    """A signal as it is stored: as `write_signal` has it, in lower case.

    Raises:
        ValueError: it is none, or has no frame that counts, so that it could never match.
    """
    frames = read_frames(signal)
    if not any(frame.pdq.quality >= LEAST_QUALITY for frame in frames):
        raise ValueError(f"no frame has a quality of {LEAST_QUALITY} or more, so nothing matches")
    return write_signal(frames)


def read_hashes(signal: str) -> list[str]:
    """The PDQ hashes of the frames that count, each once, in their order."""
    values = (frame.pdq for frame in read_frames(signal))
    return list(dict.fromkeys(pdq.hash for pdq in values if pdq.quality >= LEAST_QUALITY))


def compare(query: str, other: str) -> VpdqSimilarity:
    """How much of two checked signals matches, by looking at every pair of frames."""
    asked, compared = _signs(read_hashes(query)), _signs(read_hashes(other))
    if not len(asked) or not len(compared):
        return VpdqSimilarity(0.0, 0.0)
    reached = np.zeros(len(compared), bool)
    matched = 0
    for start in range(0, len(asked), _BLOCK):
        near = asked[start : start + _BLOCK] @ compared.T >= 256 - 2 * DISTANCE
        matched += int(near.any(axis=1).sum())
        reached |= near.any(axis=0)
    return VpdqSimilarity(matched * 100 / len(asked), int(reached.sum()) * 100 / len(compared))


def _signs(hashes: list[str]) -> NDArray[np.float32]:
    """Bits as 1 and -1, shape (frames, 256): a product is 256 less twice the bits that differ."""
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, 32)
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


def _frame(text: object) -> Frame:
    parts = _FRAME.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise ValueError("a frame of a vpdq signal is `hash,quality,timestamp`")
    quality, timestamp = int(parts[2]), float(parts[3])
    if quality > 100:
        raise ValueError("the quality of a frame is 0 to 100")
    if not (timestamp >= 0 and math.isfinite(timestamp)):
        raise ValueError("the timestamp of a frame is a number of seconds from 0")
    return Frame(Pdq(parts[1].lower(), quality), timestamp)
