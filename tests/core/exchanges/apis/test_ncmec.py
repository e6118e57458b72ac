"""What threatexchange's client of NCMEC gets wrong, and what only NCMEC has."""

import dataclasses
import json
import time
from collections.abc import Iterator

import pytest
from threatexchange.exchanges.clients.ncmec.hash_api import NCMECEntryType
from threatexchange.exchanges.impl.ncmec_api import NCMECCheckpoint, _NCMECPagingInfo
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal

from core.errors import ExchangeRefused
from core.exchanges.apis import ncmec
from core.exchanges.apis.ncmec_page import read_page
from core.exchanges.poison import Poisoned
from local_runtime.demo.fake_exchanges import FakeNcmec, Reported
from local_runtime.demo.fake_exchanges.ncmec import REASON
from tests.core.exchanges.apis.member import TYPES, Member
from tests.deployment import TurnedClock


@pytest.fixture
def fake() -> Iterator[FakeNcmec]:
    made = FakeNcmec(page_size=10)
    made.ledger.fill(45)
    with made:
        yield made


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows the time of New York."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_away")
def test_times_are_utc_wherever_we_are(fake: FakeNcmec) -> None:
    """Windows are asked for in UTC, and what was changed a moment ago is in them."""
    assert time.timezone == 5 * 3600
    member = Member(fake)
    member.fetch()
    assert fake.pages[0].startswith("GET /v2/entries?from=1970-01-01T00:00:00Z&to=")
    assert member.live() == fake.ledger.live()
    fake.ledger.add("a" * 64)
    member.fetch()
    assert member.live() == fake.ledger.live()


@pytest.mark.parametrize("seconds", [0, -3600])
def test_resumed_within_the_same_second(fake: FakeNcmec, seconds: int) -> None:
    """A fetch that was killed goes on at once, even if the clock has been set back."""
    clock = TurnedClock(1_800_000_000.0)
    client = Member(fake).client()
    client.now = clock
    deltas = client.fetch_iter(TYPES, None)
    delta = next(one for one in deltas if one.checkpoint.paging_info)
    clock.now += seconds
    again = Member(fake).client()
    again.now = clock
    seen = set(delta.updates)
    for later in again.fetch_iter(TYPES, delta.checkpoint):
        seen |= set(later.updates)
    assert len(seen) == 45


def test_a_complete_fetch_is_repeated_within_the_same_second(fake: FakeNcmec) -> None:
    """A fetch asks even if no time has passed since the last: something may have come late."""
    clock = TurnedClock(1_800_000_000.0)
    member = Member(fake)
    member.fetch()
    client = member.client()
    client.now = clock
    checkpoint = NCMECCheckpoint(int(clock.now) - ncmec.LAG)
    asked = len(fake.pages)
    assert [delta.checkpoint for delta in client.fetch_iter(TYPES, checkpoint)] == [checkpoint]
    assert len(fake.pages) == asked + 1


def test_a_fetch_begins_a_minute_before_the_end_of_the_last(fake: FakeNcmec) -> None:
    """An entry that shows up late, dated before the last fetch ended, is not missed."""
    client = Member(fake).client()
    client.now = TurnedClock(1_800_000_600.0)
    asked = len(fake.pages)
    list(client.fetch_iter(TYPES, NCMECCheckpoint(1_800_000_060)))
    assert fake.pages[asked:] == [
        "GET /v2/entries?from=2027-01-15T08:00:00Z&to=2027-01-15T08:09:55Z"
    ]


def test_a_link_that_was_forgotten_begins_its_window_anew(fake: FakeNcmec) -> None:
    """NCMEC keeps links for some hours; without its own, a window is read from its start."""
    member = Member(fake)
    while not member.records:
        member.fetch(deltas=member.deltas + 1)
    fake.forget()
    member.fetch()
    assert member.live() == fake.ledger.live()


def test_a_link_too_old_is_not_asked_for(fake: FakeNcmec) -> None:
    """After twelve hours a link is not even tried."""
    member = Member(fake)
    while not member.records:
        member.fetch(deltas=member.deltas + 1)
    assert member.checkpoint is not None
    checkpoint = json.loads(member.checkpoint)
    checkpoint["paging_info"]["paging_url_ts"] -= 13 * 3600
    member.checkpoint = json.dumps(checkpoint)
    asked = len(fake.pages)
    member.fetch()
    assert "start=" not in fake.pages[asked]
    assert member.live() == fake.ledger.live()


def test_links_elsewhere_are_not_followed(fake: FakeNcmec) -> None:
    """Of a link only its query is used: it cannot send us, and our password, to another host."""
    link = "http://127.0.0.1:9/v2/entries?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z"
    checkpoint = NCMECCheckpoint(1_577_836_800, _NCMECPagingInfo(link, 1_609_459_200))
    client = Member(fake).client()
    updates = [key for one in client.fetch_iter(TYPES, checkpoint) for key in one.updates]
    assert len(set(updates)) == 45


def test_windows_with_too_many_entries_are_divided(
    fake: FakeNcmec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that holds too much is asked for in parts, and nothing falls between them."""
    fake.ledger.fill(200, seed=1)
    monkeypatch.setattr(ncmec, "MOST_ENTRIES", 30)
    monkeypatch.setattr(ncmec, "SHORTEST", 2)
    member = Member(fake)
    member.fetch()
    assert member.live() == fake.ledger.live()
    assert len(member.live()) == 245
    windows = {asked.partition("&start=")[0] for asked in fake.pages if "&start=" in asked}
    assert len(windows) >= 245 // 30


def test_one_bad_fingerprint_does_not_take_the_others_along() -> None:
    """An entry with a malformed PDQ keeps its MD5, and the reason is told."""
    body = b"""<?xml version="1.0"?>
    <queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
      <videos count="1" maxTimestamp="2020-01-01T00:00:00Z"><video>
        <member id="42">M</member><id>v1</id>
        <fingerprints><md5>D41D8CD98F00B204E9800998ECF8427E</md5><pdq>bad</pdq></fingerprints>
      </video></videos>
    </queryResult>"""
    types = {
        (NCMECEntryType.video, "md5"): VideoMD5Signal,
        (NCMECEntryType.video, "pdq"): PdqSignal,
    }
    page = read_page(body, types)
    poisoned = page.updates["42-v1"]
    assert isinstance(poisoned, Poisoned)
    assert poisoned.reason == "invalid pdq signal: invalid PDQ hash"
    assert "<id>v1</id>" in poisoned.raw
    assert poisoned.record is not None
    assert poisoned.record.fingerprints == {"md5": "d41d8cd98f00b204e9800998ecf8427e"}  # type: ignore[attr-defined]


def test_only_the_members_that_are_wanted(fake: FakeNcmec) -> None:
    """Entries of other members are no signals of ours."""
    member = Member(fake)
    member.fetch()
    member.config = dataclasses.replace(member.config, only_esp_ids={42})
    assert len(member.live()) == 45
    member.config = dataclasses.replace(member.config, only_esp_ids={43})
    assert not member.live()


def test_opinions_become_votes(fake: FakeNcmec) -> None:
    """Both opinions are told of the fingerprint that is a signal, one with NCMEC's reason."""
    member = Member(fake)
    member.fetch()
    for opinion in ("true_positive", "false_positive"):
        member.report("42-entry1", opinion)
        member.report("42-entry10", opinion)
    assert fake.reported == [
        Reported("42/entry1/PDQ", "affirmative"),
        Reported("42/entry10/MD5", "affirmative"),
        Reported("42/entry1/PDQ", f"negative {REASON}"),
        Reported("42/entry10/MD5", f"negative {REASON}"),
    ]


def test_no_reason_is_chosen_for_us(fake: FakeNcmec) -> None:
    """Of several reasons against a fingerprint, we name them rather than guess."""
    fake.reasons["2"] = "Another reason"
    member = Member(fake)
    member.fetch()
    with pytest.raises(ExchangeRefused, match=r"Does not depict .*, Another reason"):
        member.report("42-entry1", "false_positive")
    assert not fake.reported
