"""Real processes that begin at once: each is forked from one that has imported what they run.

Not from the tests' own: its threads would be copied half-way through what they do.
"""

import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.process import BaseProcess
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.core.catalog.processes",
        "tests.core.transfer.mover",
        "tests.system.fetcher",
        "tests.system.racing_publishers",
    ]
)


def start(target: Callable[..., None], *args: Any) -> BaseProcess:
    """A process running `target(*args)`, both importable by name."""
    process = CONTEXT.Process(target=target, args=args)
    process.start()
    return process


def ends_well(processes: Iterable[BaseProcess]) -> bool:
    """Wait for all of them; whether each ended without an error."""
    codes = []
    for process in processes:
        process.join()
        codes.append(process.exitcode)
    return not any(codes)
