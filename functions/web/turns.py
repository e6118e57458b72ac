"""Turns at what takes a core, or the time of a stranger's server: so many at once, and a queue.

The queue has a length and a time, past which it is 503 at once rather than an answer that nobody
waits for. Work whose client has gone is dropped before it starts, and is told so between its steps.
Knows nothing of what the work is.
"""

import asyncio
import functools
import math
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.types import Receive

from core.errors import Abandoned, HmaError, Unavailable

T = TypeVar("T")

QUEUE_LENGTH = 64
"""Work that waits: each keeps its file, on disk if it is large."""

QUEUE_SECONDS = 30.0
"""Longest wait for a turn. Most clients have given up by then."""


@dataclass
class Client:
    """Whoever waits for the answer to a request.

    Attributes:
        receive: what the server has to say of the request; nobody is watched without it.
        gone: whether the connection is closed.
    """

    receive: Receive | None = None
    gone: bool = False
    _told: list[Callable[[], None]] = field(default_factory=list)

    def check(self) -> None:
        """Go on, in whatever thread.

        Raises:
            Abandoned: nobody waits any more.
        """
        if self.gone:
            raise Abandoned("the client has gone")

    def when_gone(self, call: Callable[[], None]) -> None:
        self._told.append(call)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Learn of its going while the block runs. The request's body must have been read."""
        if self.receive is None:
            yield
            return
        watcher = asyncio.create_task(self._watch(self.receive))
        await asyncio.sleep(0)  # who went meanwhile is known at once
        try:
            yield
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError, HmaError):
                await watcher

    async def _watch(self, receive: Receive) -> None:
        ends = 0  # a body that was not read, of a GET, ends once; some servers say it for ever
        while ends < 2:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                for call in self._told:
                    call()
                return
            ends += not message.get("more_body", False)


class Turns:
    """Turns of one process, on its event loop.

    Args:
        at_once: how much work is done at the same time, each in a thread.
        length: how much more may wait.
        seconds: how long.
    """

    def __init__(
        self, at_once: int, length: int = QUEUE_LENGTH, seconds: float = QUEUE_SECONDS
    ) -> None:
        self._free = at_once
        self._length = length
        self._seconds = seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._threads = CapacityLimiter(math.inf)

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(not turn.done() for turn in self._waiting)

    async def take(self, client: Client, work: Callable[[Callable[[], None]], T]) -> T:
        """What `work` returns, done in a thread when its turn has come.

        Args:
            work: is given what it is to call between its steps, which ends it if `client` has gone.

        Raises:
            Abandoned: `client` has gone.
            Unavailable: too much waits already, or its turn did not come in time.
        """
        async with client.watched():
            await self._wait(client)
            try:
                client.check()
                bound = functools.partial(work, client.check)
                return await anyio.to_thread.run_sync(bound, limiter=self._threads)
            finally:
                self._pass_on()

    async def _wait(self, client: Client) -> None:
        client.check()
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= self._length:
            raise Unavailable("too many others wait here already")
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        late = Unavailable(f"no turn came within {self._seconds:.0f} s: there is too much to do")
        timer = loop.call_later(self._seconds, _end, turn, late)
        client.when_gone(lambda: _end(turn, Abandoned("the client has gone")))
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on()  # it came just now, for nobody
            raise
        finally:
            timer.cancel()
            with suppress(ValueError):
                self._waiting.remove(turn)

    def _pass_on(self) -> None:
        """Let the next one in that still waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _end(turn: "asyncio.Future[None]", error: HmaError) -> None:
    if not turn.done():
        turn.set_exception(error)
