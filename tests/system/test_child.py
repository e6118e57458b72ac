"""A child process ends with its parent, whatever ends the parent."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_runtime.store.child import Child
from tests.servers import wait_until

PLAIN = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + PLAIN

PARENT = """
import os, sys, threading, time
from pathlib import Path
from local_runtime.store.child import Child

def start():
    print(Child.start([sys.executable, "-c", sys.argv[1]], log=Path(sys.argv[2])).pid, flush=True)

starter = threading.Thread(target=start)
starter.start()
starter.join()
"""


def alive(pid: int) -> bool:
    """Whether `pid` runs; one that has ended and only waits to be reaped does not."""
    state = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] not in ("", "Z")


def gone(pid: int) -> Callable[[], bool]:
    return lambda: not alive(pid)


@contextmanager
def parent_of(code: str, log: Path, then: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that has a child running `code` and does `then`; with the child's pid."""
    command = [sys.executable, "-c", PARENT + then, code, str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(log.read_bytes, "the child is up")
        yield parent, pid
        parent.kill()


@pytest.mark.parametrize("code", [PLAIN, STUBBORN], ids=["plain", "ignores SIGTERM"])
def test_ends_when_the_parent_is_killed(code: str, tmp_path: Path) -> None:
    """SIGKILL of the parent ends the child, also when another thread than the main started it."""
    with parent_of(code, tmp_path / "log", then="sys.stdin.read()") as (parent, pid):
        assert alive(pid)
        parent.kill()
        wait_until(gone(pid), f"process {pid} ends")


def test_ends_though_a_fork_of_the_parent_lives_on(tmp_path: Path) -> None:
    """A process forked from the parent holds its pipes open; the child ends all the same."""
    forks = "if (fork := os.fork()): print(fork, flush=True)\ntime.sleep(600)"
    with parent_of(PLAIN, tmp_path / "log", then=forks) as (parent, pid):
        assert parent.stdout is not None
        fork = int(parent.stdout.readline())
        parent.kill()
        wait_until(gone(pid), f"process {pid} ends")
        assert alive(fork)
        os.kill(fork, signal.SIGKILL)


def test_stop_ends_a_stopped_program_and_what_it_started(tmp_path: Path) -> None:
    """`stop` ends a program under SIGSTOP, and its own children with it."""
    log = tmp_path / "log"
    child = Child.start(["sh", "-c", "sleep 600 & echo $!; wait"], log=log)
    wait_until(lambda: log.read_bytes().endswith(b"\n"), "the program says what it started")
    grandchild = int(log.read_bytes())
    assert child.running()
    os.kill(child.pid, signal.SIGSTOP)
    child.stop()
    assert not child.running()
    assert not alive(child.pid)
    wait_until(gone(grandchild), f"process {grandchild} ends")
    child.stop()


def test_sees_that_the_program_has_ended(tmp_path: Path) -> None:
    """A program that ends by itself is seen, with its output in the log and its exit code."""
    log = tmp_path / "log"
    child = Child.start(["sh", "-c", "echo $WORD; exit 3"], log=log, environ={"WORD": "done"})
    wait_until(lambda: not child.running(), "the program's end is seen")
    assert child.watcher.returncode == 3
    assert log.read_text() == "done\n"
    child.stop()


def test_says_where_to_look_when_the_program_cannot_be_run(tmp_path: Path) -> None:
    """A missing program is an error that names it and the log."""
    with pytest.raises(OSError, match=r"/no/such/program cannot be run, see .*log"):
        Child.start(["/no/such/program"], log=tmp_path / "log")
