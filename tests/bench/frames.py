"""Searching videos by their frames beside threatexchange's vPDQ index: `make bench-frames`.

Videos of random frames; half of the queries are copies of a part of one, each frame up to 31 bits
off, and half are unrelated. Both search the same videos with the same queries in one process, one
thread each, and must find the same. Prints JSON lines, and rewrites the table in
`docs/benchmarks.md`.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from core.hashing import vpdq
from core.hashing.pdq import Pdq
from core.index.layers.frames import Frames
from core.index.layers.packed import Codes
from core.index.objects.cache import DiskCache
from core.index.objects.layout import Layout
from core.index.objects.segment import fetch_postings, open_segment, write_segment
from core.signal_types.vpdq import VpdqSignal
from core.store import FileStore
from tests.bench.codes import one_bank
from tests.bench.report import machine, put
from tests.deployment import altered
from tests.their_vpdq import VPDQIndex

VIDEOS, FRAMES, QUERIES, QUERY_FRAMES = 10_000, 60, 100, 30

Signals = list[str]


def main(videos: int) -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 256, (videos * FRAMES, 32), dtype=np.uint8)
    queries = _queries(codes, videos)
    faiss.omp_set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="hma-bench-") as name:
        ours, found = _ours(Path(name), codes, videos, queries)
    theirs, expected = _theirs(codes, videos, queries)
    assert found == expected, "the two do not find the same"
    assert sum(map(len, found)) == len(queries) // 2
    lines = [
        {
            "bench": "frames",
            "case": f"{figure}/{videos}x{FRAMES}",
            "ours": float(f"{value:.4g}"),
            "peer": float(f"{theirs[figure]:.4g}"),
            "peer_name": "threatexchange",
            "ratio": round(theirs[figure] / value, 2),
            "unit": "bytes" if figure.endswith("bytes") else "s" if figure == "build_s" else "ms",
        }
        for figure, value in ours.items()
    ]
    for line in lines:
        print(json.dumps(line), flush=True)
    _write_table(videos, lines)


def _queries(codes: Any, videos: int) -> Signals:
    rng = random.Random(5)
    queries = []
    for number in range(QUERIES):
        if number % 2:
            hashes = [rng.randbytes(32).hex() for _ in range(QUERY_FRAMES)]
        else:
            at = rng.randrange(videos) * FRAMES + rng.randrange(FRAMES - QUERY_FRAMES)
            rows = codes[at : at + QUERY_FRAMES]
            hashes = [altered(rng, row.tobytes().hex(), rng.randint(0, 31)) for row in rows]
        queries.append(_signal(hashes))
    return queries


def _signal(hashes: Signals) -> str:
    return vpdq.write_signal(vpdq.Frame(Pdq(one, 100), float(at)) for at, one in enumerate(hashes))


def _ours(
    folder: Path, codes: Any, videos: int, queries: Signals
) -> tuple[dict[str, float], list[set[int]]]:
    columns = one_bank("frames", 0, Frames(Codes(codes), np.arange(videos + 1) * FRAMES))
    (folder / "store").mkdir()
    store = FileStore(folder / "store")
    started = time.perf_counter()
    segment = write_segment(store, Layout("vpdq"), columns)
    figures = {"build_s": time.perf_counter() - started}
    figures["stored_bytes"] = float(sum(file.bytes for file in segment.files.values()))
    cache = DiskCache(store, folder / "cache")
    layer = open_segment(cache, Layout("vpdq"), VpdqSignal, segment)
    if "postings" in segment.files:
        fetch_postings(cache, Layout("vpdq"), segment, layer)

    def ask(query: str) -> set[int]:
        ((positions, _),) = layer.search([query], vpdq.DISTANCE)
        return set(positions.tolist())

    found: list[set[int]] = []
    return figures | _timed(ask, queries, found), found


def _theirs(codes: Any, videos: int, queries: Signals) -> tuple[dict[str, float], list[set[int]]]:
    hashes = [row.tobytes().hex() for row in codes]
    signals = [_signal(hashes[at * FRAMES : (at + 1) * FRAMES]) for at in range(videos)]
    started = time.perf_counter()
    index = VPDQIndex.build((signal, at) for at, signal in enumerate(signals))
    figures = {"build_s": time.perf_counter() - started}
    with tempfile.TemporaryFile() as file:
        index.serialize(file)
        figures["stored_bytes"] = float(file.tell())

    def ask(query: str) -> set[int]:
        return {match.metadata for match in index.query(query)}

    found: list[set[int]] = []
    return figures | _timed(ask, queries, found), found


def _timed(
    ask: Callable[[str], set[int]], queries: Signals, found: list[set[int]]
) -> dict[str, float]:
    ask(queries[0])
    times = []
    for query in queries:
        started = time.perf_counter()
        found.append(ask(query))
        times.append(1e3 * (time.perf_counter() - started))
    return {f"query_p{percent}": float(np.percentile(times, percent)) for percent in (50, 95, 99)}


def _write_table(videos: int, lines: list[dict[str, Any]]) -> None:
    """Put this run's table in place of the last one."""
    shown = ("case", "ours", "peer", "ratio", "unit")
    rows = ["| case | ours | threatexchange | ratio | unit |", "|---|---|---|---|---|"]
    rows += ["| " + " | ".join(str(line[name]) for name in shown) + " |" for line in lines]
    made = f"{videos} videos of {FRAMES} frames, queries of {QUERY_FRAMES}."
    put("frames", f"{made} {machine()}\n\n" + "\n".join(rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else VIDEOS)
