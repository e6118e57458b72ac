"""Building, opening and searching large indices of MD5s: `make bench-exact SCALE=1M|10M|50M`.

Beside threatexchange's TrivialSignalTypeIndex, which is a dict, saved and loaded as HMA does, with
the same digests and queries in the same run. Prints JSON lines, and rewrites the table of this
scale in `docs/benchmarks.md`. The dict is left out beyond 10M rows: 50M would take 12 GB.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from threatexchange.signal_type.signal_base import TrivialSignalTypeIndex

from core.index.layers.columns import Columns
from core.index.layers.exact import BYTES, Digests
from core.index.objects.layout import Layout
from core.index.objects.segment import write_segment
from core.index.objects.snapshot import SegmentRef, Snapshot, read_snapshot
from core.services import Services
from core.settings import Settings
from tests.bench.codes import one_bank
from tests.bench.report import Figures, lines, publish, resident
from tests.deployment import random_signal

TYPE = "video_md5"
SCALES = {"100K": 100_000, "1M": 1_000_000, "10M": 10_000_000, "50M": 50_000_000}
SEGMENT_ROWS = 25_000_000
QUERIES = 10_000
PEER_ROWS = 10_000_000
FIRST_ID = 10**9  # past every id that the catalog of this run gives

progress = Console(stderr=True)


def main(scale: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hma-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        progress.print(f"{scale}: making digests")
        digests = np.frombuffer(np.random.default_rng(5).bytes(BYTES * SCALES[scale]), f"S{BYTES}")
        asked, expected = _queries(digests)
        ours = _ours(folder, digests, asked, expected)
        peers = [_dict(folder, digests, asked, expected)] if len(digests) <= PEER_ROWS else []
    publish("exact", scale, list(lines("exact", scale, ours, peers)))


def _queries(digests: Any) -> tuple[list[str], list[list[int]]]:
    """In turn one that is banked and one that is not, and the rows that equal each."""
    rng = random.Random(9)
    asked, expected = [], []
    for _ in range(QUERIES // 2):
        row = rng.randrange(len(digests))
        asked += [Digests(digests, None)[row], random_signal(rng, 8 * BYTES)]
        expected += [[row], []]
    return asked, expected


def _ours(folder: Path, digests: Any, asked: list[str], expected: list[list[int]]) -> Figures:
    ours = Figures("ours")
    (folder / "store").mkdir()
    environ = {
        "HMA_STORE_URL": f"file://{folder / 'store'}",
        "HMA_DATABASE_URL": f"sqlite:///{folder / 'catalog.db'}",
        "HMA_CACHE_DIR": str(folder / "cache"),
        "HMA_SIGNAL_TYPES": TYPE,
    }
    services = Services(Settings.from_env(environ))
    progress.print("building and storing our segments")
    started = time.perf_counter()
    segments = tuple(_segments(services, digests))
    ours.values["build_s"] = time.perf_counter() - started
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours.values["build_peak_bytes"] = peak - digests.nbytes
    ours.values["stored_bytes"] = sum(f.bytes for s in segments for f in s.files.values())
    services.catalog.banks.create("BENCH", 1.0)
    snapshot = Snapshot(
        TYPE,
        1,
        writer="bench",
        created_at=time.time(),
        threshold=0,
        banks=tuple(services.catalog.banks.indexed()),
        segments=segments,
    )
    services.store.create(Layout(TYPE).snapshot(1), snapshot.to_bytes())
    (folder / "queries.json").write_text(json.dumps(asked))
    progress.print("a matcher that fills the cache, one that opens it")
    _matcher(folder, environ, "fill")
    warm = _matcher(folder, environ, "warm")
    assert warm.pop("counts") == [len(rows) for rows in expected]
    found = warm.pop("found")
    assert [[id_ - FIRST_ID for id_ in ids] for ids in found] == expected[: len(found)]
    warm.pop("first_s")
    ours.values.update(warm)
    services.catalog.contents.add(
        "BENCH", {TYPE: random_signal(random.Random(3), 8 * BYTES)}, None, None
    )
    written = read_snapshot(services.store, Layout(TYPE), services.publisher.publish(TYPE))
    assert written is not None
    ours.values["moved_bytes"] = 2.0 * len(written.to_bytes())  # a PUT, and a reader's GET
    return ours


def _segments(services: Services, digests: Any) -> Iterator[SegmentRef]:
    for start in range(0, len(digests), SEGMENT_ROWS):
        part = digests[start : start + SEGMENT_ROWS]
        columns = one_bank("exact", FIRST_ID + start, Digests(part, None))
        merged = Columns.merge([columns], at_bottom=True)  # which puts them in order
        yield write_segment(services.store, Layout(TYPE), merged)


def _matcher(folder: Path, environ: dict[str, str], how: str) -> dict[str, Any]:
    """A matcher in a process of its own; what it measured of itself."""
    command = [sys.executable, "-m", "tests.bench.matcher", str(folder / "queries.json"), how, TYPE]
    done = subprocess.run(command, env=os.environ | environ, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _dict(folder: Path, digests: Any, asked: list[str], expected: list[list[int]]) -> Figures:
    progress.print("threatexchange's TrivialSignalTypeIndex")
    peer = Figures("threatexchange")
    path = folder / "index.pickle"
    texts = Digests(digests, None)
    started = time.perf_counter()
    built = TrivialSignalTypeIndex.build((texts[row], row) for row in range(len(texts)))
    with path.open("wb") as file:
        built.serialize(file)
    peer.values["build_s"] = time.perf_counter() - started
    del built
    peer.values["stored_bytes"] = path.stat().st_size
    peer.values["moved_bytes"] = 2.0 * path.stat().st_size  # the whole index, for any change
    before = resident()
    started = time.perf_counter()
    with path.open("rb") as file:
        index = TrivialSignalTypeIndex.deserialize(file)
    peer.values["open_s"] = time.perf_counter() - started
    peer.values["resident_bytes"] = float(resident() - before)
    times = []
    for signal, rows in zip(asked, expected, strict=True):
        started = time.perf_counter()
        found = index.query(signal)
        times.append(time.perf_counter() - started)
        assert [match.metadata for match in found] == rows
    peer.percentiles(times)
    return peer


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1M")
