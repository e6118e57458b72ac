"""Signals that match when they are equal: MD5, SHA.

Stored as sorted 16-byte digests and found by binary search in the mapped file: 50M of them are
800 MB of which a lookup touches some thirty pages. A signal of 32 hex digits is its own digest;
any other is digested (BLAKE2b), and kept as text beside it so that it can be given back.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from core.index.columns import Buffer, Texts, array
from core.index.hits import Hits

_HALF = ">u8"  # big-endian halves, so that comparing them as numbers is comparing the bytes


class ExactSignals:
    """The signals of one layer as sorted digests."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        self._halves = array(files["digests"], _HALF).reshape(-1, 2)
        self._texts = (
            Texts(files["signals"], files["signal_offsets"]) if "signals" in files else None
        )

    @staticmethod
    def encode(signals: Sequence[str]) -> tuple[dict[str, bytes], Sequence[int]]:
        """Files, and the order in which rows are stored: by digest."""
        digests = [_digest(signal) for signal in signals]
        order = sorted(range(len(signals)), key=digests.__getitem__)
        files = {"digests": b"".join(digests[row] for row in order)}
        if any(digest.hex() != signal for digest, signal in zip(digests, signals, strict=True)):
            files["signals"], files["signal_offsets"] = Texts.encode(
                signals[row].encode() for row in order
            )
        return files, order

    def search(self, signal: str, threshold: int) -> Hits:  # noqa: ARG002
        """All rows equal to `signal`."""
        first, second = np.frombuffer(_digest(signal), _HALF)
        low, high = (
            int(np.searchsorted(self._halves[:, 0], first, side)) for side in ("left", "right")
        )
        return Hits.without_distance(low + np.flatnonzero(self._halves[low:high, 1] == second))

    def __getitem__(self, row: int) -> str:
        return self._texts[row].decode() if self._texts else self._halves[row].tobytes().hex()


def _digest(signal: str) -> bytes:
    if re.fullmatch("[0-9a-f]{32}", signal):
        return bytes.fromhex(signal)
    return hashlib.blake2b(signal.encode(), digest_size=16).digest()
