"""Writers, mergers and collectors die or sleep at any moment, and no reader is ever wrong.

`make prove-index` repeats the kills 200 times; the suite does so some times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.index.objects.layout import Layout
from core.index.objects.snapshot import list_numbers
from tests.deployment import Deployment, settings_for
from tests.published import catalog_entries, published_entries
from tests.system.index_nursery import PERMANENT
from tests.waiting import until

KILLS = int(os.environ.get("PROVE_KILLS", "20"))
GRACE = 4.0


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    settings = settings_for(
        tmp_path,
        tail_entries=3,
        refresh_seconds=0.01,
        max_stale_seconds=GRACE / 2,
        grace_seconds=GRACE,
        signal_types=("pdq",),
    )
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    deployment = Deployment(settings)
    deployment.add(PERMANENT)
    deployment.publisher.publish_all()
    return deployment


class Nursery:
    """Forks readers and writers, and knows which of them live."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.living: list[int] = []

    def fork(self, what: str, seed: int) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{what} {seed}\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        self.living.append(pid)
        return pid

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.living.remove(pid)


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.system.index_nursery", str(folder / "settings.json")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        nursery = Nursery(process)
        try:
            yield nursery
        finally:
            for pid in nursery.living:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.terminate()


def assert_whole(deployment: Deployment, folder: Path) -> None:
    """No reader was wrong, nothing is lost, what stands in the store is consecutive."""
    assert not (folder / "wrong").exists(), (folder / "wrong").read_text()
    deployment.publisher.publish_all()
    assert published_entries(deployment) == catalog_entries(deployment)
    assert not deployment.catalog.marks.pending("pdq", 1)
    numbers = list_numbers(deployment.store, Layout("pdq"))
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_writers_killed_at_random_lose_nothing_and_mislead_nobody(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Two write, merge and collect; one after the other is killed while readers look on."""
    rng = random.Random(1)
    with nursery(tmp_path) as forked:
        for seed in range(2):
            forked.fork("reader", seed)
        writers = [forked.fork("writer", seed) for seed in range(2)]
        for kill in range(KILLS):
            known = deployment.newest().number
            until(lambda known=known: deployment.newest().number > known, 60)  # type: ignore[misc]
            time.sleep(rng.uniform(0.05, 0.5))  # the work goes on: any moment may be the one
            forked.kill(writers.pop(0))
            writers.append(forked.fork("writer", 100 + kill))
    assert_whole(deployment, tmp_path)
    assert deployment.newest().number > KILLS


def test_a_writer_and_a_reader_stopped_past_the_grace_do_no_harm(
    deployment: Deployment, tmp_path: Path
) -> None:
    """SIGSTOP, the others go on and collect what the stopped ones knew, SIGCONT.

    Now and then the writer is stopped while it holds the catalog's lock, so that nobody can go
    on; then it is let go and stopped again.
    """
    rounds, deadline = max(1, KILLS // 20), time.monotonic() + 60 + 10 * KILLS
    with nursery(tmp_path) as forked:
        stopped = [forked.fork("reader", 1), forked.fork("writer", 1)]
        forked.fork("reader", 2)
        forked.fork("writer", 2)
        while rounds:
            assert time.monotonic() < deadline, "hardly anything was collected"
            time.sleep(0.7)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            known, asleep = deployment.newest().number, time.monotonic()
            while (behind := list_numbers(deployment.store, Layout("pdq"))[0] <= known) and (
                time.monotonic() - asleep < 4 * GRACE
            ):
                time.sleep(0.2)
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            rounds -= not behind
        time.sleep(0.7)
    assert_whole(deployment, tmp_path)
