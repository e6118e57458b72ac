"""Does a job at once and then again and again, as a platform's scheduler does in the cloud."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from core.errors import HmaError
from core.jobs.job import Job

RUN_SECONDS = 5.0
"""What a job has not done by then it goes on with at once, or when we start again: nobody waits
longer for us to end."""


class Scheduler:
    """Runs `job` every `seconds` while it is entered, one run at a time.

    A run that does not come to its end within `run_seconds` is followed by the next one at once.

    A run that fails is reported and the next one comes all the same: what keeps failing shows
    to clients too, as an index that goes stale. The same failure is not reported twice in a row.

    Args:
        name: of what the job does, for reports.
        report: is told, in a sentence, what failed or that it works again.
    """

    def __init__(
        self,
        name: str,
        job: Job,
        seconds: float,
        report: Callable[[str], object],
        run_seconds: float = RUN_SECONDS,
    ) -> None:
        self._name = name
        self._job = job
        self._seconds = seconds
        self._report = report
        self._run_seconds = run_seconds
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
            problem, finished = self._outcome()
            if problem and problem != failing:
                self._report(f"{self._name} fails, next try in {self._seconds:g} s: {problem}")
            elif failing and not problem:
                self._report(f"{self._name} works again")
            failing = problem
            if finished:
                self._ending.wait(self._seconds)

    def _outcome(self) -> tuple[str, bool]:
        """What went wrong, if anything, and whether the next run may wait."""
        try:
            return "", self._job.run(time.monotonic() + self._run_seconds)
        except HmaError as error:
            return error.message, True
        except Exception as error:  # a bug in one run must not be the last run
            return repr(error), True
