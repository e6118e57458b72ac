"""Exact Hamming search that reads few rows: multi-index hashing with uneven radii.

Cut the bits of a code into m chunks and give chunk i a radius t_i so that Σ(t_i + 1) is one more
than the threshold. If every chunk of a code differed from the query's by more than its radius,
the whole would differ by at least Σ(t_i + 1) bits, which is past the threshold. So a code within
the threshold agrees with the query, up to t_i bits, in at least one chunk i (the generalised
pigeonhole principle), and it is enough to look at the codes listed under the query's chunks and
under every value within t_i bits of those. Nothing is lost: this is exact search, not a guess.

For each chunk there is a table from its 2^width values to rows: `starts` (where the rows of a
value begin) and `rows`, both uint32 and mapped. Wide chunks make lists of about one row, narrow
ones need fewer probes; `chunks_for` weighs the two by the number of rows.

A lower threshold gets smaller radii from the same tables (-1: not probed at all). A query whose
lists are longer than a scan would be is refused, and the caller scans.

Sources: Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing"
(2014); Qin et al., "GPH: Similarity Search in Hamming Space" (2018) for uneven radii.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from math import comb
from typing import IO

import numpy as np
from numpy.typing import NDArray

from core.index.columns import Buffer, array, ranges

FEWEST_ROWS = 200_000
"""A flat scan of fewer rows takes no longer than the probes would."""

MOST_PROBES = 40_000
"""A threshold that needs more probes is cheaper to scan for."""

SHARE_OF_SCAN = 1 / 16
"""Candidates cost about this much more than rows in a flat scan: beyond that share, scan."""

QUERIES_AT_ONCE = 32
"""Bounds the memory of a batch: some 100,000 probes at a time."""

Keys = NDArray[np.uint32]


@dataclass(frozen=True)
class Chunk:
    """`width` bits of a code from bit `offset` on, counted from its most significant one."""

    offset: int
    width: int

    def keys(self, words: NDArray[np.uint64]) -> Keys:
        """The chunk of each code. `words`: shape (n, 4), most significant word first."""
        word, bit = divmod(self.offset, 64)
        spare = 64 - bit - self.width
        if spare >= 0:
            keys = words[:, word] >> np.uint64(spare)
        else:
            keys = words[:, word] << np.uint64(-spare)
            keys |= words[:, word + 1] >> np.uint64(64 + spare)
        return (keys & np.uint64((1 << self.width) - 1)).astype(np.uint32)


def chunks_for(rows: int, bits: int = 256) -> tuple[Chunk, ...]:
    """How codes are cut in an index of this many rows: as measured, see docs/benchmarks.md."""
    count = 16 if rows < 600_000 else 12 if rows < 5_000_000 else 11 if rows < 60_000_000 else 10
    edges = [bits * i // count for i in range(count + 1)]
    return tuple(Chunk(start, end - start) for start, end in pairwise(edges))


def radii(count: int, threshold: int) -> list[int]:
    """t_i with Σ(t_i + 1) = threshold + 1, as even as can be; -1 means no probe."""
    share, rest = divmod(threshold + 1, count)
    return [share - (chunk >= rest) for chunk in range(count)]


def probe_count(width: int, radius: int) -> int:
    """How many values are within `radius` bits of a value of `width` bits."""
    return sum(comb(width, size) for size in range(radius + 1))


@cache
def masks(width: int, radius: int) -> Keys:
    """Every pattern of at most `radius` of `width` bits: what to flip to reach all neighbours."""
    patterns = (
        sum(1 << bit for bit in bits)
        for size in range(radius + 1)
        for bits in combinations(range(width), size)
    )
    return np.fromiter(patterns, np.uint32)


def big_endian_words(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Codes of shape (n, 32) as shape (n, 4), so that bit 0 is the most significant one."""
    return np.ascontiguousarray(bits).view(">u8").astype(np.uint64)


def write_postings(bits: NDArray[np.uint8], file: IO[bytes]) -> None:
    """Append the tables of all chunks, chunk by chunk: starts, then rows.

    Sorting `key << 32 | row` groups the rows of a key, in order, in one vectorised pass.
    """
    count = len(bits)
    words = big_endian_words(bits)
    for chunk in chunks_for(count):
        keys = chunk.keys(words)
        starts = np.zeros((1 << chunk.width) + 1, np.uint32)
        np.cumsum(np.bincount(keys, minlength=1 << chunk.width), out=starts[1:])
        grouped = keys.astype(np.uint64) << np.uint64(32)
        del keys
        grouped |= np.arange(count, dtype=np.uint64)
        grouped.sort()
        file.write(starts.data)
        file.write(grouped.astype(np.uint32).data)


class Postings:
    """The tables of one layer's codes, mapped."""

    def __init__(self, source: Buffer, bits: NDArray[np.uint8]) -> None:
        self._bits = bits
        self._chunks = chunks_for(len(bits))
        self._tables: list[tuple[Keys, Keys]] = []
        numbers, at = array(source, "<u4"), 0
        for chunk in self._chunks:
            end = at + (1 << chunk.width) + 1
            self._tables.append((numbers[at:end], numbers[end : end + len(bits)]))
            at = end + len(bits)

    def search(
        self, queries: NDArray[np.uint8], threshold: int
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]] | None]:
        """For each of `queries` (uint8, shape (q, 32)) the rows within `threshold` bits of it.

        Returns:
            For each query its rows, ascending, and their distances; None if it had better scan.
        """
        spread = radii(len(self._chunks), threshold)
        probes = sum(map(probe_count, (chunk.width for chunk in self._chunks), spread))
        if probes > MOST_PROBES:
            return [None] * len(queries)
        blocks = range(0, len(queries), QUERIES_AT_ONCE)
        return [
            found
            for start in blocks
            for found in self._search(queries[start : start + QUERIES_AT_ONCE], threshold, spread)
        ]

    def _search(
        self, queries: NDArray[np.uint8], threshold: int, spread: list[int]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]] | None]:
        asked, rows, refused = self._candidates(queries, spread)
        near = self._bits[rows].view(np.uint64)
        near ^= queries.view(np.uint64)[asked]
        distances = np.bitwise_count(near).sum(axis=1, dtype=np.int64)
        within = np.flatnonzero(distances <= threshold)
        # A row may be listed under several chunks: each (query, row) is kept once, in order.
        pairs = asked[within].astype(np.uint64) << np.uint64(32) | rows[within]
        pairs, first = np.unique(pairs, return_index=True)
        found = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
        distances = distances[within][first]
        bounds = np.searchsorted(
            pairs, np.arange(len(queries) + 1, dtype=np.uint64) << np.uint64(32)
        )
        return [
            None if refused[query] else (found[start:end], distances[start:end])
            for query, (start, end) in enumerate(pairwise(bounds.tolist()))
        ]

    def _candidates(
        self, queries: NDArray[np.uint8], spread: list[int]
    ) -> tuple[NDArray[np.int64], Keys, NDArray[np.bool_]]:
        """`(query, row)` for every row listed under a probe, some several times; who is refused."""
        words = big_endian_words(queries)
        left = np.full(len(queries), int(len(self._bits) * SHARE_OF_SCAN))
        asked, found = [np.empty(0, np.int64)], [np.empty(0, np.uint32)]
        for chunk, radius, (starts, rows) in zip(self._chunks, spread, self._tables, strict=True):
            if radius < 0:
                continue
            flips = masks(chunk.width, radius)
            keys = (chunk.keys(words)[:, None] ^ flips).ravel()
            begins = starts[keys].astype(np.int64)
            lengths = starts[keys + np.uint32(1)] - begins
            left -= lengths.reshape(len(queries), -1).sum(axis=1)
            lengths[np.repeat(left < 0, len(flips))] = 0
            filled = np.flatnonzero(lengths)
            lengths = lengths[filled]
            asked.append(np.repeat(filled // len(flips), lengths))
            found.append(rows[ranges(begins[filled], lengths)])
        return np.concatenate(asked), np.concatenate(found), left < 0
