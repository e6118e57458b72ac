"""A run in a process of its own, which kills itself with SIGKILL at the step it is told.

A step is any moment before or after a commit of the catalog:
`python -m tests.core.moving.mover HMA_URL SETTINGS.json STEP` (0 never dies).
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from core.services import Services
from core.settings import Settings
from tests.core.moving.conftest import move
from tests.hma import Hma


def main(url: str, settings: Path, last: int) -> None:
    services = Services(Settings.model_validate_json(settings.read_text()))
    left = last

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", step)
    event.listen(Engine, "after_cursor_execute", step)
    move(Hma(url), services)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
