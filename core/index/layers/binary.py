"""Signals that are 256 bits compared by Hamming distance: PDQ.

The codes stand in a FAISS `IndexBinaryFlat` file, mapped once, so that opening 10M rows takes a
tenth of a millisecond and the processes of a machine share its pages. FAISS's scan of them is
exact and is all that small layers need; larger ones also have `postings`, which find the same
rows sooner.
"""

from collections.abc import Mapping, Sequence
from struct import pack

import faiss
import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.signal_base import SignalType

from core.index.layers.arrays import Buffer, Rows, array
from core.index.layers.hits import Hits
from core.index.layers.kind import order_by_content
from core.index.layers.packed import Codes
from core.index.layers.postings import Near, Postings

faiss.omp_set_num_threads(1)  # a search must not start threads: they do not survive a fork

CODE_BYTES = 32

_HEADER = 33
"""Bytes before the codes in FAISS's file of a flat binary index."""


class BinaryKind:
    """256 bits that match within a Hamming distance."""

    name = "binary"

    def pack(self, signals: Sequence[str]) -> Codes:
        return Codes.pack(signals)

    def order(self, _packed: Codes, owners: Rows) -> Rows:
        return order_by_content(owners)

    def files(self, packed: Codes) -> dict[str, bytes]:
        """FAISS's file of these codes, in the order they are in.

        Made by hand, since FAISS would copy them three times on the way: its header with two
        counts filled in, then the codes.
        """
        rows, width = packed.bits.shape
        empty = faiss.serialize_index_binary(faiss.IndexBinaryFlat(8 * width)).tobytes()
        header = empty[:12] + pack("<q", rows) + empty[20:25] + pack("<Q", rows * width)
        return {"codes": b"".join((header, np.ascontiguousarray(packed.bits).data))}

    def codes(self, packed: Codes) -> NDArray[np.uint8]:
        return packed.bits

    def open(self, files: Mapping[str, Buffer], _signal_type: type[SignalType]) -> "BinarySignals":
        return BinarySignals(files)


class BinarySignals:
    """The codes of one layer."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        self.packed = Codes(array(files["codes"], "u1", offset=_HEADER).reshape(-1, CODE_BYTES))
        self._postings: Postings | None = None
        if "postings" in files:
            self.add_postings(files["postings"])

    @property
    def has_postings(self) -> bool:
        return self._postings is not None

    def add_postings(self, source: Buffer) -> None:
        """From now on read candidates instead of all rows; a running search is not disturbed."""
        self._postings = Postings(source, self.packed.bits)

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:
        """For each of `signals` all rows within `threshold` bits, inclusive."""
        return [Hits.with_bits(*near) for near in self.near(Codes.pack(signals).bits, threshold)]

    def near(self, queries: NDArray[np.uint8], threshold: int) -> list[Near]:
        """As `search`, of codes: for each of `queries`, shape (q, 32), rows and distances."""
        postings = self._postings
        listed = postings.search(queries, threshold) if postings else [None] * len(queries)
        bits = self.packed.bits
        nears: list[Near] = []
        for query, near in zip(queries, listed, strict=True):
            if near is not None:
                nears.append(near)
                continue
            result = faiss.RangeSearchResult(1)
            # FAISS is strict, and counts in floats.
            faiss.hamming_range_search(  # type: ignore[attr-defined]  # its types lack it
                *(faiss.swig_ptr(query), faiss.swig_ptr(bits)),
                *(1, len(bits), threshold + 1, CODE_BYTES, result),
            )
            nears.append(_rows_and_distances(result))
        return nears


def _rows_and_distances(result: faiss.RangeSearchResult) -> Near:
    """Copies of what FAISS found, which owns its own."""
    count = int(faiss.rev_swig_ptr(result.lims, 2)[1])
    if not count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    rows = faiss.rev_swig_ptr(result.labels, count).copy()
    return rows, faiss.rev_swig_ptr(result.distances, count).astype(np.int64)
