"""Does a job at once and then again and again, as a platform's scheduler does in the cloud."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from core.errors import HmaError


class Scheduler:
    """Runs `job` every `seconds` while it is entered, one run at a time.

    A run that fails is reported and the next one comes all the same: what keeps failing shows
    to clients too, as an index that goes stale. The same failure is not reported twice in a row.

    Args:
        report: is told, in a sentence, what failed or that it works again.
    """

    def __init__(
        self, job: Callable[[], object], seconds: float, report: Callable[[str], object]
    ) -> None:
        self._job = job
        self._seconds = seconds
        self._report = report
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

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
            problem = self._problem()
            if problem and problem != failing:
                self._report(f"publishing fails, next try in {self._seconds:g} s: {problem}")
            elif failing and not problem:
                self._report("publishing works again")
            failing = problem
            self._ending.wait(self._seconds)

    def _problem(self) -> str:
        try:
            self._job()
        except HmaError as error:
            return error.message
        except Exception as error:  # a bug in one run must not be the last run
            return repr(error)
        return ""
