"""Signals that match when they are equal: MD5, SHA, texts.

Stored as ascending 16-byte digests and found by binary search in the mapped file: 50M of them
are 800 MB, of which a lookup touches some thirty pages. A signal of 32 hex digits is its own
digest; any other is digested (BLAKE2b) and kept as text beside it, so that it can be given back.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.index.columns import Buffer, Rows, Texts, array
from core.index.hits import Hits

_HALF = ">u8"  # big-endian halves, so that comparing them as numbers is comparing the bytes


@dataclass(frozen=True)
class Digests:
    """`halves`: big-endian uint64, shape (rows, 2); `texts` unless all signals are digests."""

    halves: NDArray[np.uint64]
    texts: Texts | None

    @classmethod
    def pack(cls, signals: Sequence[str]) -> "Digests":
        own = all(re.fullmatch("[0-9a-f]{32}", signal) for signal in signals)
        data = b"".join(_digest(signal) for signal in signals)
        return cls(np.frombuffer(data, _HALF).reshape(-1, 2), None if own else Texts.pack(signals))

    def __len__(self) -> int:
        return len(self.halves)

    def __getitem__(self, row: int) -> str:
        return self.texts[row] if self.texts else self.halves[row].tobytes().hex()

    def take(self, rows: Rows) -> "Digests":
        return Digests(self.halves[rows], self.texts.take(rows) if self.texts else None)

    @classmethod
    def concat(cls, parts: Sequence["Digests"]) -> "Digests":
        # Told, because NumPy turns what it concatenates into this machine's order of bytes.
        halves = np.concatenate([part.halves for part in parts], dtype=_HALF)
        if all(part.texts is None for part in parts):
            return cls(halves, None)
        return cls(
            halves,
            Texts.concat(
                [
                    part.texts or Texts.pack(map(part.__getitem__, range(len(part))))
                    for part in parts
                ]
            ),
        )

    def order(self) -> NDArray[np.int64]:
        """The rows by ascending digest."""
        return np.lexsort((self.halves[:, 1], self.halves[:, 0]))


class ExactSignals:
    """The signals of one layer as ascending digests."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        halves = array(files["digests"], _HALF).reshape(-1, 2)
        self.packed = Digests(halves, Texts.open(files, "signals") if "signals" in files else None)

    @staticmethod
    def files(digests: Digests) -> dict[str, bytes]:
        """The files of a layer of these digests, which ascend."""
        texts = digests.texts.files("signals") if digests.texts else {}
        return {"digests": digests.halves.tobytes()} | texts

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:  # noqa: ARG002
        """For each of `signals` all rows equal to it."""
        halves = self.packed.halves
        wanted = Digests.pack(signals).halves
        lows = np.searchsorted(halves[:, 0], wanted[:, 0], "left")
        highs = np.searchsorted(halves[:, 0], wanted[:, 0], "right")
        return [
            Hits.without_distance(low + np.flatnonzero(halves[low:high, 1] == second))
            for low, high, second in zip(lows.tolist(), highs.tolist(), wanted[:, 1], strict=True)
        ]


def _digest(signal: str) -> bytes:
    if re.fullmatch("[0-9a-f]{32}", signal):
        return bytes.fromhex(signal)
    return hashlib.blake2b(signal.encode(), digest_size=16).digest()
