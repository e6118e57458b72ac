"""A publisher in a process of its own, which kills itself with SIGKILL at the step it is told.

A step is any moment before or after an operation on the store or a commit of the catalog:
`python -m tests.system.publisher_process SETTINGS.json STEP` (0 never dies).
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

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


def main(settings: Path, last: int) -> None:
    services = Services(Settings.model_validate_json(settings.read_text()))
    step = Steps(last)
    services.store = Stepping(services.store, step)
    event.listen(Engine, "commit", step)
    services.publisher.publish("pdq")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
