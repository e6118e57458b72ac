"""Runners of a plan of tasks that are independent, and safe to repeat.

What a task makes follows from the task alone, so the runner changes how soon it is made and
nothing else. Tasks and what they return are pickled between processes; whoever may connect to a
Dask scheduler runs code on its workers anyway.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Protocol, TypeVar

from core.errors import HmaError, Misconfigured, Unavailable

T = TypeVar("T")
R = TypeVar("R")

CONNECT_SECONDS = 10


class Runner(Protocol):
    """Performs tasks: one by one here, on processes of this machine, or on a cluster."""

    def __call__(self, perform: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        """Each task with what `perform` returned for it, as they are done, in any order.

        Raises:
            Unavailable: workers were lost. Doing the same again may succeed.
            HmaError: what `perform` raised; tasks that had not begun are not begun.
        """
        ...


def one_by_one(perform: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
    """In this process, in order."""
    for task in tasks:
        yield task, perform(task)


def on_processes(count: int) -> Runner:
    """On `count` processes of this machine, which end when this one does, however it ends."""

    def run(perform: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        # Not forked: threads and connections of this process would be broken in a child.
        pool = ProcessPoolExecutor(count, get_context("spawn"), _end_with_parent)
        try:
            futures = {pool.submit(perform, task): task for task in tasks}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise Unavailable(
                "a worker process died, perhaps for lack of memory: use fewer of them, and run "
                "this again; what was done is kept"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)

    return run


def on_dask(address: str) -> Runner:
    """On the workers of the Dask cluster whose scheduler is at `address`, as `tcp://host:8786`.

    They need this program installed, and reach what the tasks name from where they are.
    """

    def run(perform: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        try:
            import distributed  # noqa: PLC0415  # an extra, and a second to import
        except ImportError as error:
            raise Misconfigured(
                "Dask is not installed: pip install 'hma-functions[dask]'"
            ) from error
        try:
            with distributed.Client(
                address, timeout=CONNECT_SECONDS, set_as_default=False
            ) as client:
                futures = client.map(perform, tasks, pure=False)  # not what an earlier run said
                task_of = {future.key: task for future, task in zip(futures, tasks, strict=True)}
                done = distributed.as_completed(futures, loop=client.loop, with_results=True)
                for future, result in done:
                    yield task_of[future.key], result
        except HmaError:
            raise
        except Exception as error:
            raise Unavailable(
                f"the Dask cluster at {address} could not do it ({error}): see that its scheduler "
                "and workers run this version, then run this again; what was done is kept"
            ) from error

    return run


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
