"""What ThreatExchange's own client gets wrong, and what only ThreatExchange has."""

import dataclasses
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from threatexchange.exchanges.fetch_state import SignalOpinionCategory
from threatexchange.exchanges.impl.fb_threatexchange_api import FBThreatExchangeOpinion

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.exchanges.apis.fb_threatexchange import ThreatExchangeCheckpoint
from local_runtime.demo.fake_exchanges import FakeThreatExchange, Fault, Reported
from local_runtime.demo.fake_exchanges.server import FakeAnswer, Request
from local_runtime.demo.fake_exchanges.threatexchange import APP, FIRST_DESCRIPTOR
from tests.core.exchanges.apis.member import Member


@pytest.fixture
def fake() -> Iterator[FakeThreatExchange]:
    made = FakeThreatExchange(page_size=10)
    made.ledger.fill(25)
    with made:
        yield made


def test_an_empty_page_is_fetched_over(fake: FakeThreatExchange) -> None:
    """An empty page, which asserts in threatexchange's client, is followed to the next."""
    member = Member(fake)
    fake.arm(Fault.EMPTY, skip=1)
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_silence_has_an_end(fake: FakeThreatExchange) -> None:
    """A server that accepts a request and never answers is given up after the time-out."""
    member = Member(fake, timeout=0.1)
    fake.arm(Fault.TIME_OUT, times=9, seconds=60)
    began = time.monotonic()
    with pytest.raises(ExchangeUnavailable, match="did not answer in time"):
        member.fetch()
    assert time.monotonic() - began < 10


def test_errors_are_quoted_without_the_token(fake: FakeThreatExchange) -> None:
    """What the server says is told, but not the token that it repeats."""
    fake.arm(Fault.REFUSE)
    with pytest.raises(
        ExchangeRefused, match="validating access token …: it has expired"
    ) as raised:
        Member(fake).fetch()
    assert "fake-secret" not in str(raised.value)


@pytest.mark.parametrize("error", [{"code": 4}, {"code": 613}, {"code": 9, "is_transient": True}])
def test_a_limit_of_use_passes(fake: FakeThreatExchange, error: dict[str, Any]) -> None:
    """The Graph API answers 400 to who asks too often; that is no reason to give up for good."""

    class Limited(FakeThreatExchange):
        def refusal(self) -> FakeAnswer:
            return FakeAnswer(400, json.dumps({"error": error}).encode())

    with Limited(fake.ledger) as limited:
        limited.arm(Fault.REFUSE, times=1)
        member = Member(limited)
        member.fetch()
        assert member.live() == fake.ledger.live()
        limited.arm(Fault.REFUSE, times=3)
        with pytest.raises(ExchangeUnavailable, match="answered 400"):
            member.fetch()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"error": 5}', b"\xff"])
def test_an_error_of_any_form_is_one(fake: FakeThreatExchange, body: bytes) -> None:
    """What the server says need not be what the Graph API says."""

    class Odd(FakeThreatExchange):
        def refusal(self) -> FakeAnswer:
            return FakeAnswer(400, body)

    with Odd(fake.ledger) as odd:
        odd.arm(Fault.REFUSE, times=3)
        with pytest.raises(ExchangeRefused, match="fb_threatexchange answered 400"):
            Member(odd).fetch()


def test_the_token_is_never_in_a_url(fake: FakeThreatExchange) -> None:
    """Not even when the server's link to the next page has it."""
    member = Member(fake)
    member.fetch()
    assert len(fake.pages) == 3
    assert not any("access_token" in asked for asked in fake.asked)


def test_links_elsewhere_are_not_followed(fake: FakeThreatExchange) -> None:
    """Of a link only its cursor is used: it cannot send us, and our token, to another host."""

    class Astray(FakeThreatExchange):
        def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
            answer = super().answer(request, fault)
            body = answer.body.replace(self.url.encode(), b"http://127.0.0.1:9")
            return replace(answer, body=body)

    with Astray(fake.ledger, page_size=10) as astray:
        member = Member(astray)
        member.fetch()
        assert member.live() == fake.ledger.live()


def test_a_page_that_fails_is_asked_for_as_a_smaller_one(fake: FakeThreatExchange) -> None:
    """As the Graph API itself says: reduce the amount of data you're asking for."""
    fake.arm(Fault.ERROR, times=2, seconds=0)
    Member(fake).fetch()
    sizes = [asked.rpartition("limit=")[2].partition("&")[0] for asked in fake.pages]
    assert sizes == ["500", "100", "20", "500", "500"]


def test_the_group_is_what_is_asked_for(fake: FakeThreatExchange) -> None:
    """Another privacy group, as GIFCT's is, is another address."""
    fake.privacy_group = 303636684709969
    member = Member(fake)
    member.fetch()
    assert member.live() == fake.ledger.live()
    assert fake.pages[0].startswith("GET /v26.0/303636684709969/threat_updates/?")


def test_a_checkpoint_is_stale_when_deletions_may_be_missing() -> None:
    """Deletions are told for 30 days; whoever comes later begins anew."""
    day = 24 * 3600
    now = int(time.time())
    assert not ThreatExchangeCheckpoint(1, now - 27 * day).is_stale()
    assert ThreatExchangeCheckpoint(1, now - 29 * day).is_stale()
    assert ThreatExchangeCheckpoint(1, now).get_progress_timestamp() == 1


@pytest.mark.parametrize("token", ["", "no-token", "12|short", "abc|" + "x" * 30])
def test_a_token_that_can_be_none_is_refused(fake: FakeThreatExchange, token: str) -> None:
    """And not repeated in the error."""
    member = Member(fake)
    credentials = dataclasses.replace(member.credentials, api_token=token)
    with pytest.raises(ExchangeRefused, match="must be like") as raised:
        member.api.for_collab(member.config, credentials)
    assert not token or token not in str(raised.value)


@pytest.mark.parametrize(
    "broken",
    [
        {"descriptors": {"data": [{"id": "x"}]}},
        {"descriptors": {"data": [{"id": "1", "owner": {}, "status": "MALICIOUS"}]}},
        {"descriptors": 5},
        {"last_updated": None},
        {"last_updated": "yesterday"},
    ],
)
def test_a_record_of_another_form_stands_alone(
    fake: FakeThreatExchange, broken: dict[str, Any]
) -> None:
    """A record that threatexchange's parser fails on is set aside under its key."""

    class Broken(FakeThreatExchange):
        def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
            answer = super().answer(request, fault)
            said = json.loads(answer.body)
            said["data"][0].update(broken)
            return replace(answer, body=json.dumps(said).encode())

    with Broken(fake.ledger, page_size=100) as server:
        member = Member(server)
        member.fetch()
        assert len(member.live()) == 24
        assert len(member.poisoned) == 1


def test_opinions_become_reactions(fake: FakeThreatExchange) -> None:
    """Both opinions are told of each descriptor of others."""
    member = Member(fake)
    member.fetch()
    key = next(iter(member.records))
    member.report(key, "true_positive")
    member.report(key, "false_positive")
    about = str(FIRST_DESCRIPTOR)
    assert fake.reported == [Reported(about, "HELPFUL"), Reported(about, "DISAGREE_WITH_TAGS")]


def test_a_changed_mind_takes_the_other_reaction_back(fake: FakeThreatExchange) -> None:
    """Who reacted otherwise before does not hold both opinions."""
    member = Member(fake)
    member.fetch()
    key, record = next(iter(member.records.items()))
    ours = FBThreatExchangeOpinion(
        True,
        SignalOpinionCategory.POSITIVE_CLASS,
        set(),
        APP,
        FBThreatExchangeOpinion.REACTION_DESCRIPTOR_ID,
    )
    record.opinions.append(ours)
    member.report(key, "false_positive")
    about = str(FIRST_DESCRIPTOR)
    assert fake.reported == [Reported(about, "DISAGREE_WITH_TAGS"), Reported(about, "not HELPFUL")]


def test_our_own_descriptors_are_not_reacted_to(fake: FakeThreatExchange) -> None:
    """There is nobody to tell about what only we have shared."""
    member = Member(fake)
    member.fetch()
    key, record = next(iter(member.records.items()))
    record.opinions = [dataclasses.replace(one, is_mine=True) for one in record.opinions]
    with pytest.raises(ExchangeRefused, match="no descriptor of another member"):
        member.report(key, "true_positive")
    assert not fake.reported
