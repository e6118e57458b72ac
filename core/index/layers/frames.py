"""Signals that are several codes each, matched by how many of them match: vPDQ's videos.

The codes of all videos stand one after the other and are searched like PDQ hashes, with postings
where there are many; `starts` says where those of each video begin. Only frames that count are
kept, each once, so that a share of them is a count of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.signal_base import SignalType

from core.hashing import vpdq
from core.hashing.pdq import Pdq
from core.index.layers.arrays import Buffer, Rows, array, ranges
from core.index.layers.binary import BinaryKind, BinarySignals
from core.index.layers.hits import Hits
from core.index.layers.kind import order_by_content
from core.index.layers.packed import Codes


@dataclass(frozen=True)
class Frames:
    """The counting frames of videos: `starts`, int64 (videos + 1), are places in `codes`."""

    codes: Codes
    starts: NDArray[np.int64]

    @classmethod
    def pack(cls, signals: Sequence[str]) -> "Frames":
        hashes = [vpdq.read_hashes(signal) for signal in signals]
        starts = np.cumsum([0, *map(len, hashes)], dtype=np.int64)
        return cls(Codes.pack([frame for video in hashes for frame in video]), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> str:
        """A signal that matches as the one that was packed: qualities and times are not kept."""
        rows = range(int(self.starts[row]), int(self.starts[row + 1]))
        return vpdq.write_signal(vpdq.Frame(Pdq(self.codes[frame], 100), 0.0) for frame in rows)

    def take(self, rows: Rows) -> "Frames":
        starts = self.starts[:-1][rows]
        lengths = self.starts[1:][rows] - starts
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        return Frames(self.codes.take(ranges(starts, lengths)), ends)

    @classmethod
    def concat(cls, parts: Sequence["Frames"]) -> "Frames":
        ends, length = [np.zeros(1, np.int64)], 0
        for part in parts:
            ends.append(part.starts[1:] + length)
            length += int(part.starts[-1])
        return cls(Codes.concat([part.codes for part in parts]), np.concatenate(ends))


class FramesKind:
    """Several codes of 256 bits each, matched by vPDQ's rule."""

    name = "frames"

    def pack(self, signals: Sequence[str]) -> Frames:
        return Frames.pack(signals)

    def order(self, _packed: Frames, owners: Rows) -> Rows:
        return order_by_content(owners)

    def files(self, packed: Frames) -> dict[str, bytes]:
        starts = {"starts": packed.starts.astype("<i8").tobytes()}
        return BinaryKind().files(packed.codes) | starts

    def codes(self, packed: Frames) -> NDArray[np.uint8]:
        return packed.codes.bits

    def open(self, files: Mapping[str, Buffer], _signal_type: type[SignalType]) -> "FrameSignals":
        return FrameSignals(files)


class FrameSignals:
    """The videos of one layer."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        self._codes = BinarySignals(files)
        self.packed = Frames(self._codes.packed, array(files["starts"], "<i8"))

    @property
    def has_postings(self) -> bool:
        return self._codes.has_postings

    def add_postings(self, source: Buffer) -> None:
        """As `BinarySignals.add_postings`."""
        self._codes.add_postings(source)

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:
        """For each of `signals` all rows that match by vPDQ's rule, frames within `threshold`."""
        return [self._hits(signal, threshold) for signal in signals]

    def _hits(self, signal: str, threshold: int) -> Hits:
        queries = Codes.pack(vpdq.read_hashes(signal)).bits
        near = self._codes.near(queries, threshold)
        frames = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in near)])
        asked = np.repeat(np.arange(len(near)), [len(rows) for rows, _ in near])
        starts = self.packed.starts
        # Each pair of a video and a frame of the query counts once, as does each frame found.
        pairs = np.unique(_videos(starts, frames) * max(len(near), 1) + asked)
        videos, matched = np.unique(pairs // max(len(near), 1), return_counts=True)
        compared = np.unique(_videos(starts, np.unique(frames)), return_counts=True)[1]
        similarities = [
            vpdq.VpdqSimilarity(query, other)
            for query, other in zip(
                (matched * 100 / max(len(near), 1)).tolist(),
                (compared * 100 / (starts[videos + 1] - starts[videos])).tolist(),
                strict=True,
            )
        ]
        kept = [at for at, similarity in enumerate(similarities) if similarity.matches]
        return Hits(
            videos[kept],
            np.array([_distance(similarities[at]) for at in kept], np.float64),
            [similarities[at].pretty_str() for at in kept],
        )


def _videos(starts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which video each of the frames `rows` belongs to."""
    return np.searchsorted(starts, rows, "right") - 1


def _distance(similarity: vpdq.VpdqSimilarity) -> float:
    """Smaller the more of the query matches, then the more of the video."""
    return 200 - similarity.query_match_percent - similarity.compared_match_percent / 1000
