"""Publishing right after a commit, without anybody having to wait long for it.

A run publishes all that was committed before it began, so those who ask while one is under way
share the next. However slow the store, there is at most one run and one more to come for each
signal type.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable

from core.errors import HmaError
from core.services import Services
from functions.web.dependencies import Limits, in_thread

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""Longest that an answer waits for its change to be published: clients give up after three."""


class Publishing:
    """The runs of one process, on its event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._next: dict[str, asyncio.Task[int]] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def publish(self, services: Services, signal_types: Iterable[str]) -> dict[str, int]:
        """The snapshot of each signal type that has all that is committed by now.

        Empty when that failed, whatever failed, or takes too long: what is committed is done.
        Nothing is lost then: the marks stay, and the scheduled `publish` makes up for it.
        """
        runs = {name: self._run_to_come(services, name) for name in signal_types}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return {name: await asyncio.shield(run) for name, run in runs.items()}
        except Exception:  # it is in the log
            return {}

    def _run_to_come(self, services: Services, name: str) -> asyncio.Task[int]:
        if name not in self._next:
            self._next[name] = asyncio.create_task(self._run(services, name))
            self._next[name].add_done_callback(lambda run: run.cancelled() or run.exception())
        return self._next[name]

    async def _run(self, services: Services, name: str) -> int:
        async with self._turns[name]:
            del self._next[name]  # it reads the marks now: who commits from here on needs another
            try:
                return await in_thread(self._limits.catalog, services.publish, name)
            except HmaError as error:
                _log.warning("%s could not be published: %s", name, error.message)
                raise
            except Exception:
                _log.exception("%s could not be published", name)
                raise
