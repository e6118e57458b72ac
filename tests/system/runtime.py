"""The `hma` command as a process, for tests."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.served import Served, serving


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str


def hma(*arguments: str | Path, environ: Mapping[str, str] | None = None) -> Ran:
    """Run `hma arguments` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "local_runtime.cli", *map(str, arguments)],
        env=clean_environ() | dict(environ or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(
    data: Path, *options: str, store: str | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """`hma serve` on `data` and a free port, from when it serves until the block ends."""
    chosen = () if store is None else ("--store", store)
    command = ("serve", "--port", "{port}", "--data", str(data), *chosen, *options)
    log = data.parent / f"{data.name}.log"
    with serving("local_runtime.cli", *command, environ=environ or {}, log=log) as served:
        yield served


def clean_environ() -> dict[str, str]:
    """Ours, without settings of whoever runs the tests, and wide enough for no line to break."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HMA_")}
    return kept | {"COLUMNS": "200"}


def processes_of(folder: Path) -> list[str]:
    """The command lines of running processes that name `folder`."""
    listed = subprocess.run(
        ["ps", "-ewwo", "stat=,args="], capture_output=True, text=True, check=True
    )
    return [
        args
        for line in listed.stdout.splitlines()
        for stat, _, args in [line.strip().partition(" ")]
        if str(folder) in args and not stat.startswith("Z")
    ]
