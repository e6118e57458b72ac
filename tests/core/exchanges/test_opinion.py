"""Opinions reach the exchange that wants them, once it answers; and no other."""

import time
from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.catalog.models import LeaseRow, OpinionRow
from core.errors import BadInput, ExchangeRefused
from core.exchanges.opinion import ATTEMPTS, OpinionReport
from core.exchanges.registry import ExchangeApis
from tests.core.exchanges.asked import fetch, send_due
from tests.core.exchanges.scripted import SECRET, Record, Scripted, of
from tests.deployment import Deployment
from tests.published import catalog_entries


@pytest.fixture
def content(services: Deployment, script: Scripted) -> int:
    """A content that `LIST` brought, which is switched on for opinions."""
    script.log = [("key", of(1))]
    services.credentials.set("scripted", {"token": SECRET})
    fetch(services)
    services.catalog.exchanges.update("LIST", report_opinions=True)
    (found,) = catalog_entries(services)
    return found


def states(services: Deployment, content: int) -> list[str]:
    return [one.state for one in services.catalog.opinions.on_content("LIST", content)]


def make_due(services: Deployment) -> None:
    """As if the time until the next attempt had passed."""
    with services.catalog._database.writing() as session:
        session.connection().execute(
            update(OpinionRow).where(col(OpinionRow.id) > 0).values(next_try_ts=0)
        )


def test_an_opinion_is_sent_once(services: Deployment, script: Scripted, content: int) -> None:
    """With the record as its API knows it, under its own key."""
    services.catalog.opinions.add("LIST", content, "false_positive")
    assert send_due(services, 60) == [OpinionReport("LIST", sent=1)]
    assert send_due(services, 60) == []
    assert script.told == [("key", of(1), "false_positive")]
    assert isinstance(script.told[0][1], Record)
    assert states(services, content) == ["sent"]


def test_nothing_is_sent_unless_switched_on(
    services: Deployment, script: Scripted, content: int
) -> None:
    """Neither what was recorded before nor what still waits when it is switched off."""
    services.catalog.opinions.add("LIST", content, "true_positive")
    services.catalog.exchanges.update("LIST", report_opinions=False)
    assert send_due(services, 60) == []
    services.catalog.opinions.add("LIST", content, "false_positive")
    services.catalog.exchanges.update("LIST", report_opinions=True)
    assert send_due(services, 60) == []
    assert script.told == []
    assert states(services, content) == ["replaced", "recorded"]


def test_a_failure_is_retried_ever_later(
    services: Deployment, script: Scripted, content: int
) -> None:
    """With its reason, which tells no credentials; at last it stands as failed."""

    def fail() -> None:
        raise ConnectionError(f"no route with {SECRET}")

    script.on_report = fail
    services.catalog.opinions.add("LIST", content, "true_positive")
    waits = []
    for attempt in range(1, ATTEMPTS + 1):
        assert states(services, content) == ["queued"]
        send_due(services, 60)
        (opinion,) = services.catalog.opinions.on_content("LIST", content)
        assert opinion.attempts == attempt
        assert opinion.error == "ConnectionError: no route with [redacted]"
        waits.append(opinion.next_try_ts - time.time())
        assert send_due(services, 60) == []
        make_due(services)
    assert waits[4] > waits[0]
    assert states(services, content) == ["failed"]


def test_it_arrives_when_the_exchange_answers_again(
    services: Deployment, script: Scripted, content: int
) -> None:
    """And if its record has gone since, the exchange is told all the same."""
    failures = iter([ConnectionError()])

    def fail() -> None:
        if error := next(failures, None):
            raise error

    script.on_report = fail
    services.catalog.opinions.add("LIST", content, "true_positive")
    assert send_due(services, 60) == [OpinionReport("LIST", postponed=1)]
    script.log.append(("key", None))
    fetch(services)
    make_due(services)
    assert send_due(services, 60) == [OpinionReport("LIST", sent=1)]
    assert [(key, said) for key, _, said in script.told] == [("key", "true_positive")]


@pytest.mark.parametrize("error", [ExchangeRefused("not ours"), NotImplementedError("no such")])
def test_what_an_exchange_refuses_is_not_repeated(
    services: Deployment, script: Scripted, content: int, error: Exception
) -> None:
    """It stands as failed, for people to see."""

    def refuse() -> None:
        raise error

    script.on_report = refuse
    services.catalog.opinions.add("LIST", content, "true_positive")
    assert send_due(services, 60) == [OpinionReport("LIST", refused=1)]
    assert states(services, content) == ["failed"]
    exchange = services.catalog.exchanges.get("LIST")
    assert services.catalog.opinions.count(exchange) == {"failed": 1}


def test_an_api_that_takes_none_is_told_of_none(services: Deployment, content: int) -> None:
    """That is seen in the opinion's state."""
    api = services.exchange_apis.get("scripted")
    deaf = type("Deaf", (api,), {"report": property(_none)})
    services.exchange_apis = ExchangeApis({"scripted": deaf})
    services.catalog.opinions.add("LIST", content, "true_positive")
    assert send_due(services, 60) == [OpinionReport("LIST", refused=1)]
    assert states(services, content) == ["unsupported"]


def test_a_later_opinion_replaces_one_that_still_waits(
    services: Deployment, script: Scripted, content: int
) -> None:
    """The exchange hears the last word only."""
    services.catalog.opinions.add("LIST", content, "true_positive")
    services.catalog.opinions.add("LIST", content, "false_positive")
    send_due(services, 60)
    assert [said for _, _, said in script.told] == ["false_positive"]
    assert states(services, content) == ["replaced", "sent"]


def test_the_lease_is_renewed_with_each_opinion(
    services: Deployment, script: Scripted, content: int, deploy: Callable[..., Deployment]
) -> None:
    """However long all of them take, another process tells none of them meanwhile."""
    contents = three_contents(services, script)
    told_by_another: list[list[OpinionReport]] = []
    calls = count(1)

    def slow() -> None:
        # The first takes as long as a lease lasts; another process looks during the second.
        call = next(calls)
        if call == 1:
            hand_lease_on(services, until=0)
        if call == 2:
            told_by_another.append(send_due(deploy(), 60))

    for each in contents:
        services.catalog.opinions.add("LIST", each, "true_positive")
    script.on_report = slow
    assert send_due(services, 60) == [OpinionReport("LIST", sent=3)]
    assert told_by_another == [[]]
    assert sorted(key for key, _, _ in script.told) == ["key", "second", "third"]


def test_who_has_lost_the_lease_tells_no_more(
    services: Deployment, script: Scripted, content: int
) -> None:
    """The rest is for the process that has it now."""
    for each in three_contents(services, script):
        services.catalog.opinions.add("LIST", each, "true_positive")
    script.on_report = lambda: hand_lease_on(services, until=2**40, holder="another")
    assert send_due(services, 60) == [OpinionReport("LIST", sent=1, finished=False)]
    assert len(script.told) == 1


def three_contents(services: Deployment, script: Scripted) -> list[int]:
    """What `LIST` has brought when two more records have come."""
    script.says(second=2, third=3)
    fetch(services)
    return sorted(catalog_entries(services))


def hand_lease_on(services: Deployment, **values: object) -> None:
    """As if time had passed, or another process had taken it: the lease on telling opinions."""
    with services.catalog._database.writing() as session:
        changed = session.connection().execute(
            update(LeaseRow).where(col(LeaseRow.name).startswith("opinions/")).values(**values)
        )
        assert changed.rowcount == 1


def test_opinions_on_content_of_ours_are_none(services: Deployment) -> None:
    """There is nobody to tell."""
    content = services.add("f0" * 32)
    with pytest.raises(BadInput, match="came from no exchange"):
        services.catalog.opinions.add("KNOWN", content, "true_positive")


def _none(_: object) -> None:
    raise AttributeError
