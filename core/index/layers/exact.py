"""Signals that match when they are equal: MD5, SHA, texts.

Stored as ascending 16-byte digests and found by binary search in the mapped file: 50M of them
are 800 MB, of which a lookup touches some thirty pages. A signal of 32 hex digits is its own
digest; any other is digested (BLAKE2b) and kept as text beside it, so that it can be given back.

Digests are NumPy byte strings (`S16`), which are compared as bytes where they lie. Two big-endian
integers would have the same order, but NumPy turns a whole array of those into this machine's
order of bytes before it searches: a copy of the file at every lookup.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.signal_base import SignalType

from core.index.layers.arrays import Buffer, Rows, array
from core.index.layers.hits import Hits
from core.index.layers.packed import Texts

BYTES = 16

PARALLEL_ROWS = 1_000_000
"""From so many rows on, two threads gather them: each mostly waits for memory."""

_NOTHING = Hits.without_distance(np.empty(0, np.int64))

_DIGITS = re.compile("[0-9a-f]*")


@dataclass(frozen=True)
class Digests:
    """`values`: `S16`, shape (rows,); `texts` unless all signals are digests.

    One value must not be read as `values[row]`, which drops zero bytes at its end.
    """

    values: NDArray[np.bytes_]
    texts: Texts | None

    @classmethod
    def pack(cls, signals: Sequence[str]) -> "Digests":
        own = _own_digests(signals)
        data = b"".join(map(_digest, signals)) if own is None else own
        values = np.frombuffer(data, f"S{BYTES}")
        return cls(values, Texts.pack(signals) if own is None else None)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> str:
        return self.texts[row] if self.texts else self.values[row : row + 1].tobytes().hex()

    def take(self, rows: Rows) -> "Digests":
        return Digests(_take(self.values, rows), self.texts.take(rows) if self.texts else None)

    @classmethod
    def concat(cls, parts: Sequence["Digests"]) -> "Digests":
        values = np.concatenate([part.values for part in parts])
        if all(part.texts is None for part in parts):
            return cls(values, None)
        return cls(
            values,
            Texts.concat(
                [
                    part.texts or Texts.pack(map(part.__getitem__, range(len(part))))
                    for part in parts
                ]
            ),
        )

    def order(self) -> NDArray[np.uint32]:
        """The rows by ascending digest, equal ones as they stand.

        Sorting `first 32 bits << 32 | row` is several times faster than sorting 16 bytes and
        takes 8 bytes a row. Few digests begin alike: those are then sorted as a whole.
        """
        keyed = np.empty(len(self), "<u8")
        halves = keyed.view("<u4").reshape(-1, 2)
        halves[:, 0] = np.arange(len(self), dtype=np.uint32)
        halves[:, 1] = self.values.view(">u4")[:: BYTES // 4]
        keyed.sort()
        rows = np.ascontiguousarray(halves[:, 0])
        alike = halves[1:, 1] == halves[:-1, 1]
        at = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
        unsorted = rows[at]
        rows[at] = unsorted[np.argsort(self.values[unsorted], kind="stable")]
        return rows


class ExactKind:
    """Signals that match only what equals them."""

    name = "exact"

    def pack(self, signals: Sequence[str]) -> Digests:
        return Digests.pack(signals)

    def order(self, packed: Digests, _owners: Rows) -> Rows:
        return packed.order()

    def files(self, packed: Digests) -> dict[str, bytes]:
        texts = packed.texts.files("signals") if packed.texts else {}
        return {"digests": packed.values.tobytes()} | texts

    def codes(self, _packed: Digests) -> None:
        return None

    def open(self, files: Mapping[str, Buffer], _signal_type: type[SignalType]) -> "ExactSignals":
        return ExactSignals(files)


class ExactSignals:
    """The signals of one layer as ascending digests."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        values = array(files["digests"], f"S{BYTES}")
        self.packed = Digests(values, Texts.open(files, "signals") if "signals" in files else None)

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:  # noqa: ARG002
        """For each of `signals` all rows equal to it."""
        wanted = Digests.pack(signals).values
        lows = self.packed.values.searchsorted(wanted, "left")
        highs = self.packed.values.searchsorted(wanted, "right")
        return [
            Hits.without_distance(np.arange(low, high)) if low < high else _NOTHING
            for low, high in zip(lows.tolist(), highs.tolist(), strict=True)
        ]


def _own_digests(signals: Sequence[str]) -> bytes | None:
    """The signals as bytes if each is 32 hex digits."""
    joined = "".join(signals)
    if all(len(signal) == 2 * BYTES for signal in signals) and _DIGITS.fullmatch(joined):
        return bytes.fromhex(joined)
    return None


def _digest(signal: str) -> bytes:
    own = _own_digests([signal])
    return hashlib.blake2b(signal.encode(), digest_size=BYTES).digest() if own is None else own


def _take(values: NDArray[np.bytes_], rows: Rows) -> NDArray[np.bytes_]:
    if len(rows) < PARALLEL_ROWS:
        return values[rows]
    taken = np.empty(len(rows), values.dtype)
    middle = len(rows) // 2

    def take(part: slice) -> None:
        np.take(values, rows[part], out=taken[part], mode="clip")  # "raise" would copy

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(take, (slice(middle), slice(middle, None))))
    return taken
