"""Building, opening and searching large indices: `make bench-index SCALE=1M|10M|100M`.

On random codes and on codes of photographs and their alterations, beside `threatexchange`'s
PDQIndex (saved and loaded, as HMA uses it) and FAISS's flat index over the same codes with the
same queries in the same run. One thread a query. Prints JSON lines, and rewrites the table of
this scale in `docs/benchmarks.md`. PDQIndex is left out beyond 10M rows: it would need 85 GB.
"""

import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from threatexchange.signal_type.pdq.pdq_index import PDQIndex

from core.index.layers.packed import Codes
from core.index.objects.layout import Layout
from core.index.objects.segment import write_segment
from core.index.objects.snapshot import SegmentRef, Snapshot, read_snapshot
from core.services import Services
from core.settings import Settings
from core.store import FileStore, ObjectStore
from local_runtime.store.s3_server import start_seaweedfs
from tests.bench.codes import SETS, one_bank
from tests.bench.freshness import functions, measure
from tests.bench.report import Figures, Line, lines, publish, resident, seconds
from tests.deployment import random_signal
from tests.served import Served
from tests.shards import sharding

Bits = NDArray[np.uint8]

SCALES = {"100K": 100_000, "1M": 1_000_000, "10M": 10_000_000, "100M": 100_000_000}
SEGMENT_ROWS = 25_000_000
QUERIES = 1000
PEER_ROWS = 10_000_000
CHANGES = 100
SHARDS = 4
FIRST_ID = 10**9  # past every id that the catalog of this run gives

progress = Console(stderr=True)


def main(scale: str, chosen: list[str]) -> None:
    publish("index", scale, [line for name in chosen for line in _measure(scale, name)])


def _measure(scale: str, set_name: str) -> Iterator[Line]:
    rows = SCALES[scale]
    with tempfile.TemporaryDirectory(prefix="hma-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        progress.print(f"{scale} {set_name}: making codes")
        codes = np.lib.format.open_memmap(folder / "codes.npy", "w+", np.uint8, (rows, 32))
        at = 0
        for chunk in SETS[set_name](rows):
            codes[at : at + len(chunk)] = chunk
            at += len(chunk)
        codes.flush()
        queries = _queries(codes)
        expected = _expected(codes, queries[:20])
        ours = _ours(folder, codes, queries, expected)
        peers = [_faiss_flat(folder, codes, queries, expected)]
        if rows <= PEER_ROWS:
            peers.append(_threatexchange(folder, codes, queries))
    yield from lines("index", f"{scale}/{set_name}", ours, peers)


def _queries(codes: Bits) -> Bits:
    """Half at a distance of 0 to 31 from some code, half at random."""
    rng = np.random.default_rng(9)
    queries = rng.integers(0, 256, (QUERIES, 32), dtype=np.uint8)
    for number in range(0, QUERIES, 2):
        flips = np.zeros(256, np.uint8)
        flips[rng.choice(256, int(rng.integers(32)), replace=False)] = 1
        queries[number] = codes[int(rng.integers(len(codes)))] ^ np.packbits(flips)
    return queries


def _expected(codes: Bits, queries: Bits) -> list[set[int]]:
    """The rows within 31 bits of each query, by brute force in NumPy."""
    found: list[set[int]] = [set() for _ in queries]
    wide = queries.view(np.uint64)
    for start in range(0, len(codes), 1_000_000):
        words = np.ascontiguousarray(codes[start : start + 1_000_000]).view(np.uint64)
        for number, query in enumerate(wide):
            near = np.bitwise_count(words ^ query).sum(axis=1) <= 31
            found[number].update((start + np.flatnonzero(near)).tolist())
    return found


def _ours(folder: Path, codes: Bits, queries: Bits, expected: list[set[int]]) -> Figures:
    ours = Figures("ours")
    server = start_seaweedfs(folder / "s3")
    environ = server.environ() | {"HMA_MAX_STALE_SECONDS": "7200", "HMA_GRACE_SECONDS": "86400"}
    try:
        services = _deployment(folder, environ)
        store = services.store
        progress.print("building and storing our segments")
        segments = tuple(_segments(folder / "built", store, codes, ours))
        ours.values["stored_bytes"] = sum(f.bytes for s in segments for f in s.files.values())
        ours.values["publish_s"] = seconds(lambda: _publish(services, segments))
        (folder / "queries.json").write_text(json.dumps([bytes(query).hex() for query in queries]))
        progress.print("cold start of a matcher")
        cold = _matcher(folder, environ, "cold")
        ours.values["cold_s"] = cold["first_s"]
        _matcher(folder, environ, "fill")
        progress.print("warm matcher")
        warm = _matcher(folder, environ, "warm")
        for figure in ("open_s", "query_p50", "query_p95", "query_p99", "batch_query_p50"):
            ours.values[figure] = warm[figure]
        ours.values["resident_bytes"] = warm["resident_bytes"]
        for number, rows in enumerate(expected):
            assert set(warm["found"][number]) == rows, f"query {number} is not exact"
        progress.print(f"{SHARDS} shards and a router")
        ours.values |= _sharded(folder, environ, queries, expected)
        progress.print("one hash more, one hash less")
        ours.values["moved_bytes"] = _moved(services)
        with functions(server, folder) as (curate, match):
            ours.values |= measure("these rows", curate, match, CHANGES)
    finally:
        server.stop()
    return ours


def _deployment(folder: Path, environ: dict[str, str]) -> Services:
    settings = Settings.from_env(
        environ
        | {
            "HMA_DATABASE_URL": f"sqlite:///{folder / 'catalog.db'}",
            "HMA_CACHE_DIR": str(folder / "cache"),
        }
    )
    services = Services(settings)
    services.catalog.migrate()
    return services


def _segments(built: Path, store: ObjectStore, codes: Bits, ours: Figures) -> Iterator[SegmentRef]:
    """Build each segment into local files, which is timed, then send those to the store."""
    built.mkdir()
    local = FileStore(built)
    took = dict.fromkeys(("build_s", "upload_s"), 0.0)
    for start in range(0, len(codes), SEGMENT_ROWS):
        started = time.perf_counter()
        part = Codes(np.array(codes[start : start + SEGMENT_ROWS]))
        columns = one_bank("binary", FIRST_ID + start, part)
        segment = write_segment(local, Layout("pdq"), columns)
        took["build_s"] += time.perf_counter() - started
        started = time.perf_counter()
        for name in segment.files:
            key = Layout("pdq").segment_file(segment.id, name)
            store.upload(key, built / key)
            (built / key).unlink()
        took["upload_s"] += time.perf_counter() - started
        yield segment
    ours.values.update(took)


def _publish(services: Services, segments: tuple[SegmentRef, ...]) -> None:
    services.catalog.banks.create("BENCH", 1.0)
    snapshot = Snapshot(
        "pdq",
        1,
        writer="bench",
        created_at=time.time(),
        threshold=31,
        banks=tuple(services.catalog.banks.indexed()),
        segments=segments,
    )
    services.store.create(Layout("pdq").snapshot(1), snapshot.to_bytes())


def _matcher(folder: Path, environ: dict[str, str], how: str) -> dict[str, Any]:
    """A matcher in a process of its own; what it measured of itself."""
    cache = folder / "cache"
    queries = str(folder / "queries.json")
    command = [sys.executable, "-m", "tests.bench.matcher", queries, how, "pdq"]
    done = subprocess.run(
        command,
        env=os.environ | environ | {"HMA_CACHE_DIR": str(cache), "HMA_SIGNAL_TYPES": "pdq"},
        stdout=subprocess.PIPE,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    answer["found"] = [[i - FIRST_ID for i in ids] for ids in answer.get("found", [])]
    return answer


def _sharded(
    folder: Path, environ: dict[str, str], queries: Bits, expected: list[set[int]]
) -> dict[str, float]:
    """Times over HTTP through the router, and the largest resident memory of its shards."""
    environ = environ | {"HMA_CACHE_DIR": str(folder / "cache"), "HMA_SIGNAL_TYPES": "pdq"}
    times = []
    with sharding(environ, SHARDS, folder) as sharded:
        answers = [_looked_up(sharded.router, query) for query in queries]  # pages come in
        for number, rows in enumerate(expected):
            assert answers[number] == rows, f"query {number} is not exact"
        for query in queries:
            started = time.perf_counter()
            _looked_up(sharded.router, query)
            times.append(time.perf_counter() - started)
        resident = max(shard.memory() for shard in sharded.shards)
    median = float(np.median(times)) * 1e3
    return {"sharded_query_p50": median, "shard_resident_bytes": float(resident)}


def _looked_up(router: Served, query: Bits) -> set[int]:
    answer = router.get("/m/raw_lookup", signal=query.tobytes().hex(), signal_type="pdq")
    answer.raise_for_status()
    return {content_id - FIRST_ID for content_id in answer.json()["matches"]}


def _moved(services: Services) -> float:
    """Bytes written, and read again, for one new hash or, if it is more, for one gone."""
    signal = random_signal(random.Random(3))
    added = services.catalog.contents.add("BENCH", {"pdq": signal}, None, None)
    sizes = []
    for change in (lambda: None, lambda: services.catalog.contents.delete("BENCH", added.id)):
        change()
        written = read_snapshot(services.store, Layout("pdq"), services.publisher.publish("pdq"))
        assert written is not None
        sizes.append(len(written.to_bytes()))
    return 2.0 * max(sizes)  # one PUT, and one GET of each reader


def _faiss_flat(folder: Path, codes: Bits, queries: Bits, expected: list[set[int]]) -> Figures:
    progress.print("faiss flat")
    peer = Figures("faiss_flat")
    path = str(folder / "flat.faiss")

    def build() -> None:
        index = faiss.IndexBinaryFlat(256)
        for start in range(0, len(codes), SEGMENT_ROWS):
            index.add(np.ascontiguousarray(codes[start : start + SEGMENT_ROWS]))
        faiss.write_index_binary(index, path)

    peer.values["build_s"] = seconds(build)
    started = time.perf_counter()
    index = faiss.read_index_binary(path, faiss.IO_FLAG_MMAP_IFC)
    peer.values["open_s"] = time.perf_counter() - started
    faiss.omp_set_num_threads(1)
    few = queries[: max(50, min(QUERIES, 2_000_000_000 // len(codes)))]
    times = []
    for number, query in enumerate(few):
        started = time.perf_counter()
        _, _, rows = index.range_search(query.reshape(1, -1), 32)
        times.append(time.perf_counter() - started)
        if number < len(expected):
            assert set(rows.tolist()) == expected[number]
    peer.percentiles(times)
    Path(path).unlink()
    return peer


def _threatexchange(folder: Path, codes: Bits, queries: Bits) -> Figures:
    progress.print("threatexchange PDQIndex: building (10M rows take ten minutes)")
    peer = Figures("threatexchange")
    faiss.omp_set_num_threads(1)
    before = resident()

    def build() -> io.BytesIO:
        entries = ((bytes(code).hex(), row) for row, code in enumerate(codes))
        index = PDQIndex.build(entries)
        file = io.BytesIO()
        index.serialize(file)
        return file

    started = time.perf_counter()
    file = build()
    peer.values["build_s"] = time.perf_counter() - started
    peer.values["stored_bytes"] = float(len(file.getbuffer()))
    peer.values["moved_bytes"] = 2.0 * len(file.getbuffer())  # the whole index, for any change
    file.seek(0)
    started = time.perf_counter()
    index = PDQIndex.deserialize(file)
    peer.values["open_s"] = time.perf_counter() - started
    del file
    peer.values["resident_bytes"] = float(resident() - before)
    times = []
    for query in queries:
        signal = query.tobytes().hex()
        started = time.perf_counter()
        index.query(signal)
        times.append(time.perf_counter() - started)
    peer.percentiles(times)
    return peer


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1M", sys.argv[2:] or list(SETS))
