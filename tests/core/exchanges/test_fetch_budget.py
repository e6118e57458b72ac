"""The time that a fetch may take: after it no page is asked for, and it is one for all exchanges.

The clock is turned, so that seconds pass when the exchange is asked and at no other moment.
"""

import time
from collections.abc import Iterator

import pytest

from core.errors import ExchangeUnavailable
from tests.core.exchanges.asked import fetch, fetch_due
from tests.core.exchanges.scripted import SECRET, Scripted, of
from tests.deployment import Deployment

PAGE_SECONDS = 1000.0
"""What a page takes: so long that what a busy machine really takes makes no difference."""


class Stopwatch:
    """`time.monotonic`, ahead by what a test lets pass."""

    def __init__(self) -> None:
        self._real = time.monotonic
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._real() + self._ahead

    def wait(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The clock that budgets are measured with."""
    watch = Stopwatch()
    monkeypatch.setattr(time, "monotonic", watch)
    return watch


@pytest.fixture
def pages(services: Deployment, script: Scripted, watch: Stopwatch) -> Iterator[list[int]]:
    """Where each page began that was asked for, of an exchange with four, each a slow one."""
    asked: list[int] = []

    def page(position: int) -> None:
        asked.append(position)
        watch.wait(PAGE_SECONDS)

    script.log = [(f"k{n}", of(n)) for n in range(35)]
    script.before = page
    services.credentials.set("scripted", {"token": SECRET})
    yield asked
    script.before = lambda _: None


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (0.5 * PAGE_SECONDS, [0]),
        (1.5 * PAGE_SECONDS, [0, 10]),
        (2.5 * PAGE_SECONDS, [0, 10, 20]),
        (9.5 * PAGE_SECONDS, [0, 10, 20, 30]),
    ],
)
def test_no_page_is_asked_for_after_the_budget(
    services: Deployment, pages: list[int], budget: float, expected: list[int]
) -> None:
    """The page within which the time ends is the last one, and the report says whether it was."""
    report = fetch(services, budget)
    assert pages == expected
    assert (report.fetched, report.error) == (min(35, 10 * len(expected)), None)
    assert report.up_to_date is (budget > 4 * PAGE_SECONDS)


def test_all_exchanges_have_one_budget_together(services: Deployment, pages: list[int]) -> None:
    """What the first has used up is not there for the second, and the third is left for next
    time."""
    for name in ("SECOND", "THIRD"):
        services.catalog.exchanges.create(name, "scripted", {})
    reports = fetch_due(services, 5.5 * PAGE_SECONDS)
    assert pages == [0, 10, 20, 30, 0, 10]
    assert [(report.exchange, report.up_to_date) for report in reports] == [
        ("LIST", True),
        ("SECOND", False),
    ]


def test_an_exchange_that_asks_for_more_patience_than_is_left_is_not_waited_for(
    services: Deployment, script: Scripted, watch: Stopwatch
) -> None:
    """A pause that fits into the budget is made; one that would end after it ends the fetch."""
    services.credentials.set("scripted", {"token": SECRET})
    script.log = [("key", of(1))]
    pauses: list[float] = []

    def busy(_: int) -> None:
        raise ExchangeUnavailable("busy", PAGE_SECONDS)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        watch.wait(seconds)

    script.before = busy
    report = fetch(services, 1.5 * PAGE_SECONDS, sleep=pause)
    assert pauses == [PAGE_SECONDS]
    assert (report.error, report.up_to_date) == ("busy", False)
