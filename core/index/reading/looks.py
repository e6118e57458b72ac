"""Looks at the store, each in a thread of its own, and how long requests wait for them.

A store that is stopped rather than dead keeps whoever asks it for eleven seconds, and clients give
up after three. So the thread goes on alone, and the request answers from what is held.
"""

import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 2.0
"""Longest that a request waits for looks: what is left of a client's three seconds is for work."""


class Look:
    """A look that is under way, or over.

    Attributes:
        answered: whether the store has answered, so that what takes long is to load.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self.answered = False
        self.began_at = time.monotonic()
        self._thread = threading.Thread(target=work, name="look", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it is over, after so many seconds at most."""
        self._thread.join(None if seconds is None else max(0.0, seconds))
        return self.is_over()

    def is_over(self) -> bool:
        return not self._thread.is_alive()


class Patience:
    """How long requests wait for looks at one store.

    None waits for a store past the first seconds of a look. Once one was waited for in vain, nobody
    waits for that or any other until it is over: of all signal types together one request at a
    time does.
    """

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._silent: Look | None = None

    def wait(self, look: Look, asked_at: float, *, to_end: bool) -> None:
        """Return when `look` is over, or past the time of a request that came at `asked_at`.

        Args:
            to_end: whether to wait for all that the store gives, if only it answers: who holds
                nothing has no other answer.
        """
        if self._silent is not None and not self._silent.is_over():
            return
        until = min(look.began_at, asked_at) + self._seconds
        if look.wait(until - time.monotonic()):
            return
        if to_end and look.answered:
            look.wait()
        else:
            self._silent = look


class Looker:
    """Has one thing of the store looked at, by one thread at a time.

    Args:
        work: a look; it raises nothing.
    """

    def __init__(self, work: Callable[[], None], patience: Patience) -> None:
        self._work = work
        self._patience = patience
        self._starting = threading.Lock()
        self._look: Look | None = None

    def is_looking(self) -> bool:
        return self._look is not None and not self._look.is_over()

    def note_answer(self) -> None:
        """The store has answered the look that is under way."""
        if self._look is not None:
            self._look.answered = True

    def look(
        self, is_wanted: Callable[[], bool], *, join: bool = True, to_end: bool = False
    ) -> None:
        """Look at the store while that `is_wanted`, and wait for what comes, if it comes soon.

        Args:
            join: whether to wait for a look that another request began.
            to_end: as of `Patience.wait`.
        """
        asked_at = time.monotonic()
        for _ in range(2):  # a look may have begun before there was what is wanted
            with self._starting:
                if not is_wanted():
                    return
                own = self._look is None or self._look.is_over()
                if own:
                    self._look = Look(self._work)
                    self._look.start()
                look = self._look
            assert look is not None
            if own or join:
                self._patience.wait(look, asked_at, to_end=to_end)
            if own:
                return
