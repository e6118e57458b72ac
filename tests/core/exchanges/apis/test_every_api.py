"""What holds for every exchange that is asked over HTTP, whatever it speaks."""

import logging
import random
import tracemalloc
from collections.abc import Generator
from typing import Any

import pytest

from core.errors import ExchangeRefused, ExchangeUnavailable, HmaError
from local_runtime.demo.fake_exchanges import FakeExchange, Fault
from tests.core.exchanges.apis.member import TYPES, Member

A, B = "a" * 64, "b" * 64

PASSING = {
    Fault.TIME_OUT,
    Fault.DROP,
    Fault.THROTTLE,
    Fault.ERROR,
    Fault.MALFORMED,
    Fault.ODD,
}
"""Faults that trying again helps against."""


def halfway(member: Member) -> Generator[Any, None, None]:
    """A fetch that has come half the way, and can go on."""
    deltas = member.pulled()
    while len(member.records) < 45:
        next(deltas)
    return deltas


def test_all_pages_are_fetched(fake: FakeExchange) -> None:
    """A first fetch ends with exactly what the exchange lists, in many deltas."""
    member = Member(fake)
    member.fetch()
    assert member.live() == fake.ledger.live()
    assert len(member.live()) == 95
    assert member.deltas >= 10
    assert not member.poisoned


def test_later_fetches_bring_changes_alone(fake: FakeExchange) -> None:
    """What was added comes, what was removed goes, and the rest is not sent again."""
    member = Member(fake)
    member.fetch()
    gone = {signal for _, signal in sorted(fake.ledger.live())[:3]}
    for signal in gone:
        fake.ledger.remove(signal)
    fake.ledger.add(A)
    sent = sum(len(delta.updates) for delta in member.pulled())
    assert member.live() == fake.ledger.live()
    assert ("pdq", A) in member.live()
    assert not gone & {signal for _, signal in member.live()}
    assert sent <= 20


def test_nothing_new_is_no_error(fake: FakeExchange) -> None:
    """Fetching again at once, within the same second, changes nothing and raises nothing."""
    member = Member(fake)
    member.fetch()
    before = member.live()
    for _ in range(3):
        member.fetch()
    assert member.live() == before == fake.ledger.live()


def test_an_empty_exchange_is_no_error(fake: FakeExchange) -> None:
    """An exchange without a single record is fetched, and what comes later too."""
    empty = type(fake)(page_size=10)
    with empty:
        member = Member(empty)
        member.fetch()
        assert member.deltas > 0
        assert not member.live()
        empty.ledger.add(A)
        member.fetch()
        assert member.live() == {("pdq", A)}


@pytest.mark.parametrize("seed", range(5))
def test_killed_anywhere_it_goes_on(fake: FakeExchange, seed: int) -> None:
    """Killed after any delta and resumed from its checkpoint, while the list changes, a fetch
    loses nothing and keeps nothing that is gone."""
    rng = random.Random(seed)
    member = Member(fake)
    for _ in range(12):
        member.fetch(rng.randint(1, 4))
        fake.ledger.add(rng.randbytes(32).hex())
        fake.ledger.remove(rng.choice(sorted(fake.ledger.live()))[1])
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_resuming_does_not_begin_again(fake: FakeExchange) -> None:
    """A fetch killed in the middle of its pages goes on behind them."""
    member = Member(fake)
    halfway(member).close()
    sent = sum(len(delta.updates) for delta in member.pulled())
    assert member.live() == fake.ledger.live()
    assert sent <= 55


@pytest.mark.parametrize("fault", sorted(PASSING, key=str))
def test_what_passes_is_tried_again(fake: FakeExchange, fault: Fault) -> None:
    """A fault that passes is not seen by whoever fetches: late, cut, throttled, broken, odd."""
    member = Member(fake, timeout=0.2)
    deltas = halfway(member)
    fake.arm(fault, times=2, seconds=0.3 if fault is Fault.TIME_OUT else 0)
    assert list(deltas)
    assert member.live() == fake.ledger.live()
    assert not fake.armed


@pytest.mark.parametrize("fault", sorted(PASSING, key=str))
def test_what_lasts_ends_the_fetch_and_no_later_one(fake: FakeExchange, fault: Fault) -> None:
    """A fault that lasts is an error that says so; what came before is kept, and the next fetch
    goes on."""
    member = Member(fake, timeout=0.2)
    deltas = halfway(member)
    fake.arm(fault, times=3, seconds=0.3 if fault is Fault.TIME_OUT else 0)
    with pytest.raises(ExchangeUnavailable, match=fake.NAME):
        list(deltas)
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_who_asks_for_a_long_wait_is_left_alone(fake: FakeExchange) -> None:
    """A `Retry-After` of minutes is not waited for here, but told to whoever can."""
    fake.arm(Fault.THROTTLE, seconds=600)
    with pytest.raises(ExchangeUnavailable, match="429") as raised:
        Member(fake).fetch()
    assert raised.value.wait == 600
    assert len(fake.pages) == 1


def test_a_page_that_repeats_ends_the_fetch(fake: FakeExchange) -> None:
    """Pages that lead to themselves are noticed and do not go on for ever; the next fetch does."""
    member = Member(fake)
    deltas = halfway(member)
    before = len(fake.pages)
    fake.arm(Fault.REPEAT, times=50)
    with pytest.raises(ExchangeUnavailable, match="repeats its pages"):
        list(deltas)
    assert len(fake.pages) - before <= 3
    fake.arm(Fault.REPEAT, times=0)
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_an_empty_page_is_not_the_end(fake: FakeExchange) -> None:
    """A page without records loses none of those that follow, at the latest in the next fetch."""
    member = Member(fake)
    deltas = halfway(member)
    fake.arm(Fault.EMPTY)
    try:
        list(deltas)
    except ExchangeUnavailable:
        member.fetch()
    assert member.live() == fake.ledger.live()


def test_poison_is_set_aside(fake: FakeExchange) -> None:
    """Records that are no signals, or lack what a record needs, are told with their reasons, and
    every other one is fetched."""
    for number in range(5):
        fake.ledger.poison(f"no signal, number {number}")
        fake.ledger.damage(f"{number}" * 64)
        fake.ledger.add(f"{number:064x}")
    member = Member(fake)
    member.fetch()
    assert member.live() == fake.ledger.live()
    assert len(member.live()) == 100
    assert len(member.poisoned) == 10
    assert all(one.reason for one in member.poisoned.values())


def test_poison_that_is_removed_or_mended_is_forgotten(fake: FakeExchange) -> None:
    """What was set aside does not stay when the exchange removes it."""
    fake.ledger.poison("no signal")
    member = Member(fake)
    member.fetch()
    assert len(member.poisoned) == 1
    fake.ledger.remove("no signal")
    member.fetch()
    assert not member.poisoned


def test_capitals_are_the_same_signal(fake: FakeExchange) -> None:
    """Hashes written in capitals match, and go when they are removed."""
    shouted = "ABCDEF0123456789" * 4
    fake.ledger.add(shouted)
    fake.ledger.add("ABCDEF0123456789" * 2, "video_md5")
    member = Member(fake)
    member.fetch()
    assert {("pdq", shouted.lower()), ("video_md5", shouted.lower()[:32])} <= member.live()
    fake.ledger.remove(shouted)
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_expired_credentials_are_refused_for_good(fake: FakeExchange) -> None:
    """Credentials that are not accepted are an error that no attempt repeats."""
    fake.arm(Fault.REFUSE, times=10)
    with pytest.raises(ExchangeRefused, match=fake.NAME):
        Member(fake).fetch()
    assert len(fake.pages) <= 2


def test_no_credentials_are_an_error(fake: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials none are looked for in the environment or in files."""
    for name in ("TX_ACCESS_TOKEN", "TX_NCMEC_CREDENTIALS", "TX_STOPNCII_KEYS"):
        monkeypatch.setenv(name, "1234567890|" + "x" * 30)
    monkeypatch.setenv("PYTX_TAT_CREDENTIALS", "user:password")
    member = Member(fake)
    with pytest.raises(ExchangeRefused, match="needs credentials"):
        member.api.for_collab(member.config, None)


@pytest.mark.parametrize("fault", sorted(Fault, key=str))
def test_nothing_repeats_our_credentials(
    fake: FakeExchange, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither errors nor logs, at their most talkative, nor a URL that was asked holds them."""
    caplog.set_level(logging.DEBUG)
    member = Member(fake, timeout=0.2)
    fake.arm(fault, times=9, skip=1, seconds=0.3 if fault is Fault.TIME_OUT else 0)
    said = ""
    try:
        member.fetch()
    except HmaError as error:
        said = f"{error!r} {error.message}"
    secrets = [text for text in fake.credentials().values() if text != "fake-user"]
    secrets += [part for text in secrets for part in text.split("|") if len(part) > 10]
    for secret in secrets:
        assert secret not in said
        assert secret not in caplog.text
        assert not any(secret in asked for asked in fake.asked)


def test_many_signals_take_little_memory(fake: FakeExchange) -> None:
    """Signals are fetched a page at a time, in memory that does not grow with their number."""
    many = type(fake)(page_size=500)
    many.ledger.fill(15_000)
    with many:
        deltas = Member(many).client().fetch_iter(TYPES, None)
        tracemalloc.start()
        try:
            seen = 0
            while seen < 5000:
                seen += len(next(deltas).updates)
            _, early = tracemalloc.get_traced_memory()
            for delta in deltas:
                seen += len(delta.updates)
            _, late = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert seen >= 15_000
    assert late < early + 1_000_000  # all of them are 15 MB
