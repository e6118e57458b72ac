"""A matcher in a process of its own, measuring itself: `-m tests.bench.matcher QUERIES HOW TYPE`.

`cold` empties the disk cache and stops at the first correct match; `fill` stays until the cache
holds everything; `warm` opens what is cached and answers all queries. Prints one JSON object.
"""

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.services import Services
from core.settings import Settings
from tests.bench.report import resident

BATCH = 100


def main(queries_path: Path, how: str, signal_type: str) -> dict[str, Any]:
    settings = Settings.from_env()
    if how == "cold":
        shutil.rmtree(settings.cache_dir, ignore_errors=True)
    queries = json.loads(queries_path.read_text())
    services = Services(settings)
    if how == "warm":
        # Connected, as a function is that has served.
        services.store.list(f"index/{signal_type}/snapshots/")
    started = time.perf_counter()
    index = services.index.get(signal_type)
    open_s = time.perf_counter() - started
    (first,) = index.search(queries[:1])
    first_s = time.perf_counter() - started
    assert first, "the first query is near a code that is banked"
    for thread in threading.enumerate():
        if thread.name == "postings" and how != "cold":
            thread.join()
    if how != "warm":
        return {"first_s": first_s}
    found = [index.search([query])[0] for query in queries]  # pages come in
    times = []
    for query in queries:
        started = time.perf_counter()
        index.search([query])
        times.append(time.perf_counter() - started)
    batches = []
    for start in range(0, len(queries), BATCH):
        started = time.perf_counter()
        index.search(queries[start : start + BATCH])
        batches.append((time.perf_counter() - started) / BATCH)
    percentiles = np.percentile(times, [50, 95, 99]) * 1e3
    return {
        "open_s": open_s,
        "first_s": first_s,
        **dict(zip(("query_p50", "query_p95", "query_p99"), percentiles.tolist(), strict=True)),
        "batch_query_p50": float(np.median(batches)) * 1e3,
        "batch_query_p99": float(np.percentile(batches, 99)) * 1e3,
        "resident_bytes": resident(),
        "counts": [len(matches) for matches in found],
        "found": [[one.content_id for one in matches] for matches in found[:20]],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *sys.argv[2:])))
    sys.stdout.flush()
    os._exit(0)  # a cold start is not kept waiting for what is still being fetched
