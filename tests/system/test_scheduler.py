"""The scheduler goes on, whatever a run of its job does, and tells of it once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event, Timer

from core.errors import StoreUnavailable
from local_runtime.scheduler import Scheduler


@dataclass(frozen=True)
class Doing:
    """A job that does something; it has come to its end unless that answers True."""

    do: Callable[[], object]

    def run(self, deadline: float) -> bool:
        return self.do() is not True


def job_that(*outcomes: Exception | None) -> tuple[Doing, Event]:
    """A job that fails or not, as listed, and then no more; and what tells that the list ended."""
    ended = Event()
    remaining: Iterator[Exception | None] = iter(outcomes)

    def run() -> None:
        outcome = next(remaining, ended)
        if outcome is ended:
            ended.set()
        elif isinstance(outcome, Exception):
            raise outcome

    return Doing(run), ended


def reports_of(*outcomes: Exception | None) -> list[str]:
    """What is reported while a job fails or not, as listed."""
    job, ended = job_that(*outcomes)
    reports: list[str] = []
    with Scheduler("publishing", job, 0.001, reports.append):
        assert ended.wait(10)
    return reports


def test_runs_at_once_and_again() -> None:
    """The first run does not wait for the interval, and a run follows a run."""
    started = Event()
    with Scheduler("publishing", Doing(started.set), 3600, print):
        assert started.wait(10)
    assert reports_of(None, None, None) == []


def test_a_lasting_failure_is_told_once_and_so_is_its_end() -> None:
    """The operator hears of the first of equal failures, and when publishing works again."""
    down = StoreUnavailable("the store does not answer")
    assert reports_of(None, down, down, down, None, None) == [
        "publishing fails, next try in 0.001 s: the store does not answer",
        "publishing works again",
    ]


def test_a_bug_does_not_end_it() -> None:
    """An error that nobody foresaw is told with its type, and the next run comes all the same."""
    assert reports_of(ZeroDivisionError("oh"), None) == [
        "publishing fails, next try in 0.001 s: ZeroDivisionError('oh')",
        "publishing works again",
    ]


def test_leaving_it_waits_for_the_run_that_is_under_way() -> None:
    """No run is cut off, so that nothing is torn down below one."""
    begun, go_on, runs = Event(), Event(), []

    def job() -> None:
        runs.append("begun")
        begun.set()
        assert go_on.wait(10)
        runs.append("done")

    with Scheduler("publishing", Doing(job), 3600, print):
        assert begun.wait(10)
        Timer(0.05, go_on.set).start()
    assert runs == ["begun", "done"]


def test_what_has_not_come_to_its_end_goes_on_at_once() -> None:
    """A long download does not wait for its next turn after each of its parts."""
    parts, ended = iter([True, True, False]), Event()

    def job() -> bool:
        unfinished = next(parts)
        if not unfinished:
            ended.set()
        return unfinished

    with Scheduler("fetching", Doing(job), 3600, print):
        assert ended.wait(10)
