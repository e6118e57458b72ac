"""Signals that are fixed-length bit strings compared by Hamming distance: PDQ.

Stored as a FAISS `IndexBinaryFlat` file and mapped, so that opening 10M rows takes a tenth of a
millisecond and processes on one machine share its pages. A flat scan is exact by construction.
"""

from collections.abc import Mapping, Sequence

import faiss
import numpy as np

from core.index.columns import Buffer
from core.index.hits import Hits

faiss.omp_set_num_threads(1)  # a search must not start threads: they do not survive a fork


class BinarySignals:
    """The signals of one layer as rows of packed bits."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        codes = files["codes"]
        if isinstance(codes, bytes):
            self._index = faiss.deserialize_index_binary(np.frombuffer(codes, np.uint8))
        else:
            self._index = faiss.read_index_binary(str(codes), faiss.IO_FLAG_MMAP_IFC)

    @staticmethod
    def encode(signals: Sequence[str]) -> tuple[dict[str, bytes], Sequence[int]]:
        """Files, and the order in which rows are stored: as given."""
        width = len(signals[0]) // 2 if signals else 32
        codes = np.frombuffer(bytes.fromhex("".join(signals)), np.uint8).reshape(-1, width)
        index = faiss.IndexBinaryFlat(8 * width)
        index.add(codes)
        return {"codes": faiss.serialize_index_binary(index).tobytes()}, range(len(signals))

    def search(self, signal: str, threshold: int) -> Hits:
        """All rows within `threshold` bits of `signal`, inclusive."""
        query = np.frombuffer(bytes.fromhex(signal), np.uint8).reshape(1, -1)
        _, distances, rows = self._index.range_search(query, threshold + 1)  # faiss is strict
        return Hits(rows, distances, [str(int(d)) for d in distances.tolist()])

    def __getitem__(self, row: int) -> str:
        return bytes(self._index.reconstruct(row)).hex()
