"""An index of a million contents made anew: `make prove-rebuild`, or with another number of them.

Fills a catalog (SQLite) and makes its PDQ index in a local folder: the first one, of a fifth of
the contents and of all of them, and that again on two processes and over the index there is by
then. Each in a process of its own. Prints a JSON line for each with its seconds and the peak of
memory of its largest process, and fails unless the files are the same bit for bit, every content
is there, no mark is left, and memory does not grow with the number of contents.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.catalog import Catalog
from core.index.objects.layout import Layout
from core.index.objects.snapshot import newest_snapshot
from core.jobs.worker import build_anywhere
from core.services import Services
from core.settings import Settings
from core.tasks import on_processes

MOST_GROWTH = 1.5
"""Peak of memory with all contents, at most so many times that with a task's worth of them."""

TABLES = {
    "content": "(id, bank_id, disable_until_ts) VALUES (?, 1, 1)",
    "signal": "(signal_type, ordinal, crop, content_id, value) VALUES ('pdq', 0, 0, ?, ?)",
    "dirty": "(signal_type, content_id, version) VALUES ('pdq', ?, 'first import')",
}


def main(count: int = 1_000_000) -> None:
    """Each way of running, over the same catalog."""
    with tempfile.TemporaryDirectory(prefix="hma-prove-") as folder:
        part, whole = Path(folder, "part"), Path(folder, "whole")
        fill(part, count // 5)
        fill(whole, count)
        small = measured("one process", part, 1)
        first = measured("one process", whole, 1)
        again = measured("two processes, over that", whole, 2)
        assert again["files"] == first["files"], "not the same bit for bit"
        assert (small["contents"], first["contents"]) == (count // 5, count)
        assert first["peak_mb"] < MOST_GROWTH * max(small["peak_mb"], again["peak_mb"])


def measured(case: str, folder: Path, workers: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.prove_rebuild", str(folder), str(workers)]
    made: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, capture_output=True).stdout
    )
    shown = {name: value for name, value in made.items() if name != "files"}
    print(json.dumps({"case": case, **shown}), flush=True)
    return made


def rebuild(folder: Path, workers: int) -> None:
    """One run, in this process, so that the peak of memory is its own."""
    services = Services(settings_of(folder))
    run = partial(on_processes(workers), partial(build_anywhere, services.settings))
    began = time.perf_counter()
    rebuilt = services.publisher.rebuild("pdq", run if workers > 1 else None)
    seconds = round(time.perf_counter() - began, 1)
    who = resource.RUSAGE_CHILDREN if workers > 1 else resource.RUSAGE_SELF
    assert not services.catalog.marks.pending("pdq", 1)
    newest = newest_snapshot(services.store, Layout("pdq"))
    assert newest
    made = {
        "contents": rebuilt.contents,
        "tasks": rebuilt.tasks,
        "seconds": seconds,
        "peak_mb": round(resource.getrusage(who).ru_maxrss / 1024),
        "files": [
            {name: file.sha256 for name, file in segment.files.items()}
            for segment in newest.segments
        ],
    }
    print(json.dumps(made))


def settings_of(folder: Path) -> Settings:
    (folder / "store").mkdir(parents=True, exist_ok=True)
    return Settings(
        store_url=f"file://{folder / 'store'}",
        database_url=f"sqlite:///{folder / 'catalog.db'}",
        cache_dir=folder / "cache",
    )


def fill(folder: Path, count: int) -> None:
    """A catalog as a first import leaves it: random codes, all of them marked."""
    catalog = Catalog(str(settings_of(folder).database_url))
    catalog.migrate()
    catalog.banks.create("KNOWN")
    catalog.close()

    def signals() -> Iterator[tuple[int, str]]:
        rng = np.random.default_rng(1)
        for content_id in range(1, count + 1):
            yield content_id, rng.bytes(32).hex()

    with sqlite3.connect(folder / "catalog.db") as database:
        for table, values in TABLES.items():
            rows = signals() if table == "signal" else ((n,) for n in range(1, count + 1))
            database.executemany(f"INSERT INTO {table} {values}", rows)
    database.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        rebuild(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
