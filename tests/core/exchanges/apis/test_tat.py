"""What threatexchange's client of Tech Against Terrorism gets wrong, and what only TAT has."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.errors import ExchangeRefused
from local_runtime.demo.fake_exchanges import FakeTat, Fault
from local_runtime.demo.fake_exchanges.server import FakeAnswer, Request
from tests.core.exchanges.apis.member import Member


@pytest.fixture
def fake() -> Iterator[FakeTat]:
    made = FakeTat(page_size=10)
    made.ledger.fill(45)
    with made:
        yield made


def test_each_page_is_asked_for_by_what_comes_before_it(fake: FakeTat) -> None:
    """Pages follow from checkpoints, not from offsets, and each is asked for once."""
    member = Member(fake)
    member.fetch()
    assert member.live() == fake.ledger.live()
    assert len(fake.pages) == len(set(fake.pages)) == 5
    assert all("order=asc&after=" in asked for asked in fake.pages)
    assert not any("offset" in asked or "limit" in asked for asked in fake.pages)


def test_a_list_that_changes_meanwhile_loses_nothing(fake: FakeTat) -> None:
    """A record that moves to the end while pages are fetched pushes no other off its page."""
    member = Member(fake)
    first = sorted(fake.ledger.live())
    for number, _ in enumerate(member.pulled()):
        if number < 4:
            fake.ledger.remove(first[number][1])
    assert member.live() == fake.ledger.live()


def test_logging_in_once_is_enough(fake: FakeTat) -> None:
    """The token serves for all pages."""
    Member(fake).fetch()
    assert len([asked for asked in fake.asked if asked.startswith("POST")]) == 1


def test_an_expired_token_is_renewed(fake: FakeTat) -> None:
    """A token that expires in the middle of a fetch costs one more request, and no page."""
    fake.arm(Fault.REFUSE, skip=2)
    member = Member(fake)
    member.fetch()
    assert member.live() == fake.ledger.live()
    assert len([asked for asked in fake.asked if asked.startswith("POST")]) == 2


def test_a_wrong_password_is_not_repeated(fake: FakeTat) -> None:
    """The server's complaint is quoted without the password that it quotes."""
    member = Member(fake)
    member.credentials = dataclasses.replace(member.credentials, password="not-the-password")
    with pytest.raises(ExchangeRefused, match="Unable to log in fake-user with …") as raised:
        member.fetch()
    assert "not-the-password" not in str(raised.value)
    assert len(fake.asked) == 1


def test_the_md5_of_a_picture_is_no_signal(fake: FakeTat) -> None:
    """Only videos are matched by MD5."""

    class Pictures(FakeTat):
        def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
            answer = super().answer(request, fault)
            body = json.dumps(json.loads(answer.body)).replace('"mp4"', '"png"').encode()
            return replace(answer, body=body)

    with Pictures(fake.ledger) as pictures:
        member = Member(pictures)
        member.fetch()
        assert member.live() == {one for one in fake.ledger.live() if one[0] == "pdq"}
        assert len(member.live()) == 40
