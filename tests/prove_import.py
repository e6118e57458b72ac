"""A million contents moved from HMA: `make prove-import`, or with another number of them.

Builds HMA's database on a real PostgreSQL, with everything it can hold and bad rows among it, and
moves it twice to a catalog on SQLite and to one on PostgreSQL. Prints a JSON line for each run,
with its seconds and the peak of the process's memory, and fails unless every content and every id
came over, only the bad rows were told, and the second run changed nothing.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg

from core.services import Services
from core.settings import Settings
from core.transfer.hma_database import open_hma_database
from core.transfer.import_hma import HmaImport
from tests.hma import LOOSE, Hma, Row, fill, new_hma, rows
from tests.postgres import running_postgres

EVERY = 3000
"""Of so many contents one has a signal that is none, one a note too long; and one signal more
belongs to no content."""

MOST_MEGABYTES = 300


def main(count: int = 1_000_000) -> None:
    """Build, move twice to either database, and compare."""
    with running_postgres() as postgres, tempfile.TemporaryDirectory(prefix="hma-prove-") as folder:
        hma = new_hma(postgres.new_database())
        hma.run(LOOSE)
        started = time.perf_counter()
        _build(hma, count)
        _print(started, case="build", contents=count)
        for url in (f"sqlite:///{folder}/catalog.db", postgres.new_database()):
            for run in ("first", "second"):
                command = ("-m", "tests.prove_import", hma.url, url, str(count), run)
                subprocess.run([sys.executable, *command], check=True)


def move(hma_url: str, url: str, count: int, run: str) -> None:
    """One run, in a process of its own, so that the peak of memory is its own."""
    services = Services(Settings(database_url=url))
    moving = services.catalog.transfer.contents
    started = time.perf_counter()
    told = 0

    def report(_: object) -> None:
        nonlocal told
        told += 1

    with open_hma_database(hma_url) as hma:
        outcome = HmaImport(
            hma,
            services.catalog,
            services.signal_types,
            services.exchange_apis,
            services.credentials,
            report=report,
            progress=lambda *_: None,
        ).run()
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    written = outcome.written["contents"]
    where = url.partition(":")[0]
    _print(started, case=f"{run} run to {where}", written=written, told=told, peak_mb=peak)
    bad = len(range(0, count, EVERY)) + len(range(1, count, EVERY)) + count // EVERY
    assert told == outcome.problems == bad, (told, outcome)
    assert outcome.differences == 0
    assert written == (count if run == "first" else 0)
    assert peak < MOST_MEGABYTES
    for (_, row), state in zip(_rows(count), moving.states(), strict=True):
        assert (state.id, dict(state.signals)) == (row.id, row.signals)
        assert (state.disable_until_ts, state.uri) == (row.disable_until_ts, row.uri)
        assert (state.metadata, state.note) == (row.metadata, row.note)


def _build(hma: Hma, count: int) -> None:
    with psycopg.connect(hma.url) as connection:
        fill(connection, (there for there, _ in _rows(count)))
        connection.execute(
            "INSERT INTO content_signal (content_id, signal_type, signal_val) "
            "SELECT 100000000 + n, 'pdq', repeat('0', 64) FROM generate_series(1, %s) n",
            (count // EVERY,),
        )


def _rows(count: int) -> Iterator[tuple[Row, Row]]:
    """Each content as it is there, and as it should be here."""
    for n, row in enumerate(rows(count, seed=7)):
        if n % EVERY == 0:
            others = {name: value for name, value in row.signals.items() if name != "pdq"}
            yield replace(row, signals={**others, "pdq": "no hash"}), replace(row, signals=others)
        elif n % EVERY == 1:
            yield replace(row, note="x" * 300), replace(row, note="x" * 255)
        else:
            yield row, row


def _print(started: float, **figures: object) -> None:
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({**figures, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        move(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        main(*map(int, sys.argv[1:]))
