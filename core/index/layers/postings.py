"""Exact Hamming search that reads few rows: multi-index hashing with uneven radii.

Cut the bits of a code into m chunks and give chunk i a radius t_i so that Σ(t_i + 1) is one more
than the threshold. If every chunk of a code differed from the query's by more than its radius,
the whole would differ by at least Σ(t_i + 1) bits, which is past the threshold. So a code within
the threshold agrees with the query, up to t_i bits, in at least one chunk i (the generalised
pigeonhole principle), and it is enough to look at the codes listed under the query's chunks and
under every value within t_i bits of those. Nothing is lost: this is exact search, not a guess.

For each chunk there is a table from its 2^width values to rows: `starts` (where the rows of a
value begin) and `rows`. Wide chunks make lists of about one row, narrow ones need fewer probes;
`chunks_for` weighs the two by the number of rows. The tables of all chunks are one mapped array
of uint32, and a probe is a position in it: so all probes of a query, and all rows they list, are
read by one vectorised gather each.

A lower threshold gets smaller radii from the same tables (-1: not probed at all). A query whose
lists are longer than a scan would be is refused, and the caller scans.

Sources: Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing"
(2014); Qin et al., "GPH: Similarity Search in Hamming Space" (2018) for uneven radii.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, combinations, pairwise
from math import comb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.index.layers.arrays import Buffer, array, ranges

FEWEST_ROWS = 200_000
"""A flat scan of fewer rows takes no longer than the probes would."""

MOST_PROBES = 40_000
"""A threshold that needs more probes is cheaper to scan for."""

SHARE_OF_SCAN = 1 / 16
"""Candidates cost about this much more than rows in a flat scan: beyond that share, scan."""

QUERIES_AT_ONCE = 32
"""Bounds the memory of a batch: some 100,000 probes at a time."""

CANDIDATES_AT_ONCE = 200_000
"""A batch that reads more than this is halved, so that its memory is that of its worst query."""

Keys = NDArray[np.uint32]
Words = NDArray[np.uint64]
Near = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows, ascending, and their distances."""


@dataclass(frozen=True)
class Chunk:
    """`width` bits of a code from bit `offset` on, counted from its most significant one."""

    offset: int
    width: int

    def keys(self, words: Words) -> Words:
        """The chunk of each code. `words`: shape (4, n), most significant word first."""
        word, bit = divmod(self.offset, 64)
        keys: Words = words[word] << np.uint64(bit)
        if bit + self.width > 64:
            keys |= words[word + 1] >> np.uint64(64 - bit)
        keys >>= np.uint64(64 - self.width)
        return keys


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
def masks(width: int, radius: int) -> NDArray[np.int64]:
    """Every pattern of at most `radius` of `width` bits: what to flip to reach all neighbours."""
    patterns = (
        sum(1 << bit for bit in bits)
        for size in range(radius + 1)
        for bits in combinations(range(width), size)
    )
    return np.fromiter(patterns, np.int64)


def big_endian_words(bits: NDArray[np.uint8]) -> Words:
    """Codes of shape (n, 32) as shape (4, n), so that bit 0 is the most significant one."""
    words: Words = np.ascontiguousarray(bits).view(">u8").T.astype(np.uint64, order="C")
    return words


def table_offsets(chunks: Sequence[Chunk], rows: int) -> list[int]:
    """Where the `starts` of each chunk begin among the numbers of all, and where the last ends."""
    sizes = [(1 << chunk.width) + 1 + rows for chunk in chunks]
    return list(accumulate(sizes, initial=0))


def write_postings(bits: NDArray[np.uint8], path: Path) -> None:
    """Write the tables of all chunks to `path`, chunk by chunk: starts, then rows.

    Sorting `key << 32 | row` groups the rows of a key, in order, in one vectorised pass. NumPy
    lets other threads run meanwhile, so two chunks are made at a time.
    """
    count = len(bits)
    words, rows = big_endian_words(bits), np.arange(count, dtype=np.uint64)
    chunks = chunks_for(count)

    def write(chunk: Chunk, offset: int) -> None:
        grouped = chunk.keys(words)
        grouped <<= np.uint64(32)
        grouped |= rows
        grouped.sort()
        listed = grouped.astype("<u4")
        grouped >>= np.uint64(32)
        starts = np.zeros((1 << chunk.width) + 1, "<u4")
        np.cumsum(np.bincount(grouped.view(np.int64), minlength=1 << chunk.width), out=starts[1:])
        with path.open("r+b") as file:
            file.seek(4 * offset)
            file.write(starts.data)
            file.write(listed.data)

    path.touch()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, chunks, table_offsets(chunks, count)[:-1]))


@dataclass(frozen=True)
class Probes:
    """What a threshold asks of the tables: for all chunks together, `p` probes.

    Attributes:
        counts: how many of them each chunk has.
        flips: what to flip in the key of a query's chunk, shape (p,).
        starts: position of the first of the `starts` of the probe's chunk, shape (p,).
        rows: position of the first of the `rows` of the probe's chunk, shape (p,).
    """

    counts: list[int]
    flips: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, chunks: Sequence[Chunk], rows: int, threshold: int) -> "Probes | None":
        """None if there are so many that a scan is cheaper."""
        spread = list(zip(chunks, radii(len(chunks), threshold), strict=True))
        counts = [probe_count(chunk.width, radius) for chunk, radius in spread]
        if sum(counts) > MOST_PROBES:
            return None
        starts = table_offsets(chunks, rows)[:-1]
        first_rows = [at + (1 << chunk.width) + 1 for at, chunk in zip(starts, chunks, strict=True)]
        flips = [masks(chunk.width, radius) for chunk, radius in spread]
        return cls(
            counts,
            np.concatenate(flips),
            np.repeat(starts, counts),
            np.repeat(first_rows, counts),
        )


class Postings:
    """The tables of one layer's codes, mapped."""

    def __init__(self, source: Buffer, bits: NDArray[np.uint8]) -> None:
        self._bits = bits
        self._chunks = chunks_for(len(bits))
        self._tables: Keys = array(source, "<u4")
        self._probes: dict[int, Probes | None] = {}

    def search(self, queries: NDArray[np.uint8], threshold: int) -> list[Near | None]:
        """For each of `queries` (uint8, shape (q, 32)) the rows within `threshold` bits of it.

        Returns:
            For each query its rows, ascending, and their distances; None if it had better scan.
        """
        if threshold not in self._probes:
            self._probes[threshold] = Probes.of(self._chunks, len(self._bits), threshold)
        probes = self._probes[threshold]
        if probes is None:
            return [None] * len(queries)
        return [
            near
            for start in range(0, len(queries), QUERIES_AT_ONCE)
            for near in self._search(queries[start : start + QUERIES_AT_ONCE], threshold, probes)
        ]

    def _search(
        self, queries: NDArray[np.uint8], threshold: int, probes: Probes
    ) -> list[Near | None]:
        begins, lengths = self._lists(queries, probes)
        candidates = lengths.sum(axis=1)
        if len(queries) > 1 and candidates.sum() > CANDIDATES_AT_ONCE:
            half = len(queries) // 2
            return self._search(queries[:half], threshold, probes) + self._search(
                queries[half:], threshold, probes
            )
        refused = candidates > len(self._bits) * SHARE_OF_SCAN
        lengths[refused] = 0
        candidates[refused] = 0
        filled = np.flatnonzero(lengths)
        rows = self._tables.take(ranges(begins.take(filled), lengths.take(filled)))
        asked = np.arange(len(queries)).repeat(candidates)
        near = self._bits.take(rows, axis=0).view(np.uint64)
        near ^= queries.view(np.uint64).take(asked, axis=0)
        # One product adds four counts. They fit a byte: a candidate is alike in most of a chunk.
        ones = np.bitwise_count(near).view(np.uint32).ravel()
        distances = ones * np.uint32(0x01010101) >> np.uint32(24)
        within = np.flatnonzero(distances <= threshold)
        # A row may be listed under several chunks: each (query, row) is kept once, in order.
        hits = asked.take(within) << 41 | rows.take(within).astype(np.int64) << 9
        hits = np.unique(hits | distances.take(within))
        bounds = np.searchsorted(hits, np.arange(len(queries) + 1) << 41).tolist()
        return [
            None if refused[query] else (hits[start:end] >> 9 & 0xFFFFFFFF, hits[start:end] & 0x1FF)
            for query, (start, end) in enumerate(pairwise(bounds))
        ]

    def _lists(
        self, queries: NDArray[np.uint8], probes: Probes
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where in the tables the list of each probe begins, and its length: shapes (q, p)."""
        words = big_endian_words(queries)
        keys = np.stack([chunk.keys(words) for chunk in self._chunks], axis=1).astype(np.int64)
        at = keys.repeat(probes.counts, axis=1)
        at ^= probes.flips
        at += probes.starts
        begins = self._tables.take(at).astype(np.int64)
        at += 1
        lengths = self._tables.take(at) - begins
        begins += probes.rows
        return begins, lengths
