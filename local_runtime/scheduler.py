"""Does a job at once and then again and again, as a platform's scheduler does in the cloud."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from core.errors import HmaError


class Scheduler:
    """Runs `job` every `seconds` while it is entered, one run at a time.

    A job that returns True has not come to its end, and goes on at once.

    A run that fails is reported and the next one comes all the same: what keeps failing shows
    to clients too, as an index that goes stale. The same failure is not reported twice in a row.

    Args:
        name: of what the job does, for reports.
        report: is told, in a sentence, what failed or that it works again.
    """

    def __init__(
        self,
        name: str,
        job: Callable[[], object],
        seconds: float,
        report: Callable[[str], object],
    ) -> None:
        self._name = name
        self._job = job
        self._seconds = seconds
        self._report = report
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name} by schedule", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        failing = ""
        while not self._ending.is_set():
            problem, unfinished = self._outcome()
            if problem and problem != failing:
                self._report(f"{self._name} fails, next try in {self._seconds:g} s: {problem}")
            elif failing and not problem:
                self._report(f"{self._name} works again")
            failing = problem
            if not unfinished:
                self._ending.wait(self._seconds)

    def _outcome(self) -> tuple[str, bool]:
        """What went wrong, if anything, and whether the job has to go on at once."""
        try:
            return "", self._job() is True
        except HmaError as error:
            return error.message, False
        except Exception as error:  # a bug in one run must not be the last run
            return repr(error), False
