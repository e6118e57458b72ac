"""What threatexchange's client of StopNCII gets wrong, and what only StopNCII has."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.errors import ExchangeUnavailable
from local_runtime.demo.fake_exchanges import FakeStopNcii, Fault, Ledger, Reported
from local_runtime.demo.fake_exchanges.server import FakeAnswer, Request
from tests.core.exchanges.apis.member import Member


class Edited(FakeStopNcii):
    """One whose pages are changed before they are sent."""

    def __init__(self, edit: Callable[[dict[str, Any]], object], ledger: Ledger) -> None:
        super().__init__(ledger, page_size=10)
        self.edit = edit

    def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
        answer = super().answer(request, fault)
        said = json.loads(answer.body)
        self.edit(said)
        return replace(answer, body=json.dumps(said).encode())


@pytest.fixture
def fake() -> Iterator[FakeStopNcii]:
    made = FakeStopNcii(Ledger(per_second=3), page_size=10)
    made.ledger.fill(25)
    with made:
        yield made


@pytest.mark.parametrize("status", ["Withdrawn", "Deleted"])
def test_what_is_withdrawn_or_deleted_leaves(fake: FakeStopNcii, status: str) -> None:
    """The status of the hash decides, which threatexchange's client never looks at."""
    fake.withdrawn = status
    member = Member(fake)
    member.fetch()
    _, signal = sorted(fake.ledger.live())[0]
    fake.ledger.remove(signal)
    member.fetch()
    assert signal not in {one for _, one in member.live()}
    assert member.live() == fake.ledger.live()


def test_a_withdrawal_may_be_written_in_other_letters(fake: FakeStopNcii) -> None:
    """Capitals in a withdrawal do not keep the hash that it withdraws."""
    member = Member(fake)
    member.fetch()
    signal = next(one for kind, one in sorted(fake.ledger.live()) if kind == "pdq")
    fake.ledger.remove(signal)

    def shout(said: dict[str, Any]) -> None:
        for record in said["hashRecords"]:
            record["hashValue"] = record["hashValue"].upper()

    with Edited(shout, fake.ledger) as shouting:
        other = Member(shouting)
        other.records, other.checkpoint = member.records, member.checkpoint
        other.fetch()
        assert other.live() == fake.ledger.live()


def _no_count(said: dict[str, Any]) -> None:
    del said["count"]


def _no_next_set(said: dict[str, Any]) -> None:
    del said["nextSetTimestamp"]


def _text_for_time(said: dict[str, Any]) -> None:
    said["nextSetTimestamp"] = "soon"


def _no_token(said: dict[str, Any]) -> None:
    said["nextPageToken"] = None


def _lists_of_cases(said: dict[str, Any]) -> None:
    for record in said["hashRecords"]:
        record["caseNumbers"] = []


def _unknown_feedback(said: dict[str, Any]) -> None:
    for record in said["hashRecords"]:
        known = {"source": "A", "feedbackValue": "Blocked", "tags": ["Nude"]}
        record["CSPFeedbacks"] = [{"source": "B", "feedbackValue": "Novel"}, None, known]


def _null_feedback(said: dict[str, Any]) -> None:
    for record in said["hashRecords"]:
        record["CSPFeedbacks"] = None


def _odd_records(said: dict[str, Any]) -> None:
    said["hashRecords"] += [None, 5, {}, {"hashValue": "x"}, {"signalType": "Novel"}]


def _unknown_type(said: dict[str, Any]) -> None:
    said["hashRecords"] += [{"hashValue": "x", "signalType": "Novel", "lastModtimestamp": 1}]


@pytest.mark.parametrize(
    "edit",
    [
        _no_count,
        _no_next_set,
        _text_for_time,
        _no_token,
        _lists_of_cases,
        _unknown_feedback,
        _null_feedback,
        _odd_records,
        _unknown_type,
    ],
)
def test_a_malformed_page_wedges_nothing(
    fake: FakeStopNcii, edit: Callable[[dict[str, Any]], object]
) -> None:
    """Whatever is wrong with its pages, a fetch ends with every hash, and so does the next."""
    with Edited(edit, fake.ledger) as edited:
        member = Member(edited)
        member.fetch()
        assert member.live() == fake.ledger.live()
        edited.ledger.add("a" * 64)
        member.fetch()
        assert member.live() == fake.ledger.live()


def test_no_hashes_is_a_page(fake: FakeStopNcii) -> None:
    """A page whose list is null has none."""

    def nothing(said: dict[str, Any]) -> None:
        said.update(hashRecords=None, hasMoreRecords=False)

    with Edited(nothing, fake.ledger) as edited:
        member = Member(edited)
        member.fetch()
        assert member.deltas == 1


def test_a_set_that_does_not_go_on_is_an_error(fake: FakeStopNcii) -> None:
    """More pages without a token, nor a later time to go on from, is not taken for the end."""

    def stuck(said: dict[str, Any]) -> None:
        said.update(hashRecords=[], hasMoreRecords=True, nextPageToken=None)

    with Edited(stuck, fake.ledger) as edited, pytest.raises(ExchangeUnavailable, match="where"):
        Member(edited).fetch()


def test_feedback_is_kept_with_a_record(fake: FakeStopNcii) -> None:
    """What others found is there for whoever matches."""
    with Edited(_unknown_feedback, fake.ledger) as edited:
        member = Member(edited)
        member.fetch()
        record = next(iter(member.records.values()))
        assert [one.source for one in record.feedbacks] == ["A"]


@pytest.mark.parametrize("token", ["nonsense", "page-x"])
def test_a_token_that_is_refused_begins_its_set_anew(fake: FakeStopNcii, token: str) -> None:
    """Tokens do not live long; without one the set is read from its start."""
    member = Member(fake)
    member.fetch(deltas=1)
    assert member.checkpoint is not None
    member.checkpoint = json.dumps(json.loads(member.checkpoint) | {"page_token": token})
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_a_token_too_old_is_not_sent(fake: FakeStopNcii) -> None:
    """After an hour a token is not even tried."""
    member = Member(fake)
    member.fetch(deltas=1)
    assert member.checkpoint is not None
    old = {"last_fetch_time": int(time.time()) - 7200}
    member.checkpoint = json.dumps(json.loads(member.checkpoint) | old)
    member.fetch()
    assert "nextPageToken" not in fake.pages[1]
    assert member.live() == fake.ledger.live()


def test_the_url_of_the_credentials_comes_first(fake: FakeStopNcii) -> None:
    """StopNCII's credentials may name another address, as in threatexchange."""
    member = Member(fake)
    member.api = member.api.at("http://127.0.0.1:9")
    member.credentials = dataclasses.replace(member.credentials, base_url_override=fake.url)
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_opinions_become_feedback(fake: FakeStopNcii) -> None:
    """Both opinions are told of the hash."""
    member = Member(fake)
    member.fetch()
    key = next(iter(member.records))
    member.report(key, "true_positive")
    member.report(key, "false_positive")
    assert fake.reported == [Reported(key[1], "Blocked"), Reported(key[1], "NotBlocked")]
