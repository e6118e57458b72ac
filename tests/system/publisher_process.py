"""Publishers in processes of their own, each killing itself with SIGKILL at the step it is told.

A step is any moment before or after an operation on the store or a commit of the catalog. For
each number of a step on its standard input `… publisher_process SETTINGS.json` forks a publisher
and prints what that ended with: 0, or minus the signal.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

import core.catalog
import core.index.publishing.publish  # noqa: F401  # both before the forks: they take a second
from core.services import Services
from core.settings import Settings
from core.store import ObjectStore


class Steps:
    """Counts steps, and dies at the one that was chosen."""

    def __init__(self, last: int) -> None:
        self._left = last

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Stepping:
    """An object store that takes a step before and after each operation."""

    def __init__(self, store: ObjectStore, step: Steps) -> None:
        self._store = store
        self._step = step

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._store, name)

        def stepping(*args: Any) -> Any:
            self._step()
            try:
                return operation(*args)
            finally:
                self._step()

        return stepping


def publish(settings: Settings, last: int) -> None:
    services = Services(settings)
    step = Steps(last)
    services.store = Stepping(services.store, step)
    event.listen(Engine, "commit", step)
    services.publisher.publish("pdq")


def main(path: Path) -> None:
    settings = Settings.model_validate_json(path.read_text())
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            publish(settings, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
