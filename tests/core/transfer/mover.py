"""A run in a process of its own, which kills itself with SIGKILL at the step it is told.

A step is any moment before or after a commit of the catalog.
"""

import os
import signal
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from core.services import Services
from core.settings import Settings
from tests.core.transfer.conftest import move
from tests.hma import Hma


def move_until(url: str, settings: Path, last: int) -> None:
    """Move the HMA at `url`; at the step `last` it dies."""
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
