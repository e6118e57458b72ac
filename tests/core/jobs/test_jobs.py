"""Each job says whether it came to its end, and gets a step further however little time it has."""

import time

import pytest

from core.errors import Unavailable
from core.jobs.fetch import FetchJob
from core.jobs.opinions import OpinionsJob
from core.jobs.publish import PublishJob
from functions.fetch import fetch_answer
from tests.core.exchanges.scripted import SECRET, Scripted, of, pdq
from tests.deployment import Deployment
from tests.published import catalog_entries

PAST = 0.0
"""A deadline that is over when the run begins."""


def in_a_minute() -> float:
    return time.monotonic() + 60


@pytest.fixture(autouse=True)
def credentials(services: Deployment) -> None:
    """What the scripted exchange is asked with."""
    services.credentials.set("scripted", {"token": SECRET})


def queue_opinions(services: Deployment) -> None:
    """An opinion on each content, which `LIST` wants to hear."""
    services.catalog.exchanges.update("LIST", report_opinions=True)
    for content in catalog_entries(services):
        services.catalog.opinions.add("LIST", content, "true_positive")


def test_publishing_comes_to_its_end(services: Deployment) -> None:
    """What is committed matches after one run, however late that began."""
    content = services.add(pdq(1))
    assert PublishJob(services).run(PAST)
    assert services.matching(pdq(1)) == [content]


def test_fetching_goes_on_where_the_time_ended(services: Deployment, script: Scripted) -> None:
    """A page a run at least, and no end before the last page is here."""
    script.log = [(f"k{n}", of(n)) for n in range(25)]
    job = FetchJob(services)
    assert not job.run(PAST)
    assert len(catalog_entries(services)) == 10
    assert job.run(in_a_minute())
    assert len(catalog_entries(services)) == 25


def test_fetching_tells_who_failed(services: Deployment, script: Scripted) -> None:
    """By name; and it is not asked again before its time, so the next run has an end."""

    def fail(_: int) -> None:
        raise PermissionError("not you")

    script.before = fail
    job = FetchJob(services)
    with pytest.raises(Unavailable, match="LIST: PermissionError: not you"):
        job.run(PAST)
    assert job.run(PAST)


def test_what_is_fresh_is_left_alone(services: Deployment, script: Scripted) -> None:
    """A schedule that runs often does not ask an exchange each time."""
    job = FetchJob(services, fresh_seconds=3600)
    assert job.run(in_a_minute())
    assert job.run(in_a_minute())
    assert script.asked == [-1]


def test_opinions_are_told_one_by_one_when_time_is_up(
    services: Deployment, script: Scripted
) -> None:
    """So that none waits for ever behind a fetch that takes all the time there is."""
    script.says(a=1, b=2)
    FetchJob(services).run(in_a_minute())
    queue_opinions(services)
    job = OpinionsJob(services)
    assert not job.run(PAST)
    assert len(script.told) == 1
    assert job.run(in_a_minute())
    assert len(script.told) == 2
    assert job.run(PAST)


def test_the_seconds_of_a_fetch_bound_all_of_it(services: Deployment, script: Scripted) -> None:
    """What fetching has used up is not there for opinions a second time."""
    script.says(a=1, b=2)
    FetchJob(services).run(in_a_minute())
    queue_opinions(services)
    script.log += [(f"k{n}", of(n)) for n in range(25)]
    script.before = lambda _: time.sleep(0.3)  # a slow exchange, whose first page takes it all
    answer = fetch_answer(services, seconds=0.2)
    assert answer["exchanges"]["LIST"]["up_to_date"] is False
    assert answer["opinions"]["LIST"] == {"sent": 1, "postponed": 0, "refused": 0}
