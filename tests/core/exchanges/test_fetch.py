"""A fetch ends with the exchange's live set in the catalog and the index, whatever happens."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from core.catalog.models import ExchangeRecordRow, LeaseRow
from core.errors import BadInput, NotFound, StoreUnavailable
from core.exchanges.fetch_report import FetchReport
from core.exchanges.poison import Poisoned
from core.exchanges.registry import ExchangeApis
from tests.core.exchanges.asked import fetch, fetch_due
from tests.core.exchanges.scripted import SECRET, Credentials, Record, Scripted, api_of, of, pdq
from tests.deployment import Deployment
from tests.published import catalog_entries, published_entries


def run(services: Deployment, budget: float = 60, **more: Any) -> FetchReport:
    """Fetch `LIST`, without really waiting between attempts."""
    if not services.credentials.has("scripted"):
        services.credentials.set("scripted", {"token": SECRET})
    more.setdefault("sleep", lambda _: None)
    return fetch(services, budget, **more)


def held(services: Deployment) -> list[str]:
    """The PDQ signals in the catalog, one for each time, the same as in the snapshot."""
    catalog = catalog_entries(services)
    assert published_entries(services) == catalog
    return sorted(signal for entry in catalog.values() for signal in entry.signals)


def content_of(services: Deployment, number: int) -> int:
    """The content that has this signal."""
    (found,) = (i for i, entry in catalog_entries(services).items() if pdq(number) in entry.signals)
    return found


def progress(services: Deployment) -> Any:
    return services.catalog.progress.get(services.catalog.exchanges.get("LIST"))


def counts(services: Deployment) -> Any:
    return services.catalog.records.counts(services.catalog.exchanges.get("LIST"))


def test_what_the_exchange_has_matches(services: Deployment, script: Scripted) -> None:
    """After one fetch, in the catalog and the snapshot; the next one has nothing to do."""
    script.log = [(f"k{n}", of(n)) for n in range(25)]
    report = run(services)
    assert (report.fetched, report.applied.added, report.up_to_date) == (25, 25, True)
    assert report.snapshots == {"pdq": services.newest().number}
    assert held(services) == script.live()
    again = run(services)
    assert (again.fetched, again.snapshots, again.up_to_date) == (0, {}, True)
    assert script.asked == [-1, 25]


def test_changes_and_removals_follow(services: Deployment, script: Scripted) -> None:
    """Content whose record changes keeps its id, its note and its being disabled."""
    script.says(stays=1, changes=2, goes=3)
    run(services)
    kept = content_of(services, 2)
    services.catalog.contents.update("LIST", kept, note="mine", disable_until_ts=0)
    script.says(changes=4, goes=None, never_there=None)
    report = run(services)
    assert (report.applied.added, report.applied.changed, report.applied.removed) == (0, 1, 1)
    assert held(services) == script.live()
    assert content_of(services, 4) == kept
    content = services.catalog.contents.get("LIST", kept)
    assert (content.note, content.disable_until_ts) == ("mine", 0)


def test_what_has_not_changed_is_not_published_again(
    services: Deployment, script: Scripted
) -> None:
    """A record that comes again with the same signals marks nothing."""
    script.says(a=1, b=2)
    run(services)
    before = services.newest().number
    script.says(a=replace(of(1), seen=2), b=of(2))
    assert run(services).applied.signal_types == set()
    assert services.newest().number == before


def test_a_record_with_several_signals_is_one_content(
    services: Deployment, script: Scripted
) -> None:
    """Of several types, and several of one type; each of them matches."""
    md5 = "0" * 32
    script.says(many=Record([("pdq", pdq(1)), ("pdq", pdq(2**255)), ("video_md5", md5)]))
    run(services)
    (content,) = catalog_entries(services)
    assert catalog_entries(services, "video_md5").keys() == {content}
    assert services.matching(pdq(1)) == services.matching(pdq(2**255)) == [content]
    script.says(many=Record([("video_md5", md5)]))
    run(services)
    assert services.matching(pdq(1)) == []
    assert catalog_entries(services, "video_md5").keys() == {content}


def test_two_records_with_one_signal_are_two_contents(
    services: Deployment, script: Scripted
) -> None:
    """As in HMA; when one is withdrawn the other goes on matching."""
    script.says(a=7, b=7)
    run(services)
    assert held(services) == [pdq(7)] * 2
    script.says(a=None)
    run(services)
    assert held(services) == [pdq(7)]


@pytest.mark.parametrize("failing", range(4))
def test_a_page_that_fails_is_asked_for_again(
    services: Deployment, script: Scripted, failing: int
) -> None:
    """And none before it: the fetch goes on from the last checkpoint."""
    script.log = [(f"k{n}", of(n)) for n in range(35)]
    failures = iter([ConnectionError("gone"), TimeoutError("late"), None])

    def fail(position: int) -> None:
        if position == failing * 10 and (error := next(failures, None)):
            raise error

    script.before = fail
    report = run(services)
    assert (report.error, report.fetched, report.up_to_date) == (None, 35, True)
    assert script.asked == [-1] + [failing * 10 or -1] * 2
    assert held(services) == script.live()


def test_an_exchange_that_keeps_failing_is_left_alone_ever_longer(
    services: Deployment, script: Scripted
) -> None:
    """What was fetched stays, the reason is told, and the next success forgets it."""
    script.log = [(f"k{n}", of(n)) for n in range(15)]

    def fail(position: int) -> None:
        if position == 10:
            raise ConnectionError("no route")

    script.before = fail
    waits: list[float] = []
    report = run(services, sleep=waits.append)
    assert report.error == "ConnectionError: no route"
    assert len(waits) == 3
    assert waits == sorted(waits)
    assert len(held(services)) == 10
    state = progress(services)
    assert (state.last_fetch_succeeded, state.up_to_date, state.failures) == (False, False, 1)
    assert state.next_try_ts > time.time()
    assert fetch_due(services, 60) == []
    first = state.next_try_ts - time.time()
    for _ in range(4):
        run(services)
    assert progress(services).next_try_ts - time.time() > 2 * first
    script.before = lambda _: None
    assert run(services).up_to_date
    assert (progress(services).error, progress(services).failures) == (None, 0)
    assert held(services) == script.live()


def test_no_page_is_asked_for_after_the_time_is_up(services: Deployment, script: Scripted) -> None:
    """Each call does at least a page, and the next goes on where it stopped."""
    script.log = [(f"k{n}", of(n)) for n in range(35)]
    ends = [run(services, budget=0).up_to_date for _ in range(4)]
    # The end of the list is seen only by asking for what comes after it.
    assert ends == [False] * 4
    assert script.asked == [-1, 10, 20, 30]
    assert held(services) == script.live()
    assert run(services).up_to_date


def test_a_stale_checkpoint_fetches_all_anew_and_removes_what_is_gone(
    services: Deployment, script: Scripted
) -> None:
    """What is still there keeps its content; what was deleted unseen leaves."""
    script.log = [(f"k{n}", of(n)) for n in range(25)]
    run(services)
    kept = content_of(services, 20)
    script.log = [*script.log[5:], ("new", of(99))]
    script.epoch += 1
    report = run(services)
    assert (report.applied.added, report.applied.changed, report.applied.removed) == (1, 0, 5)
    assert script.asked == [-1, -1]
    assert held(services) == script.live()
    assert content_of(services, 20) == kept


def test_a_refetch_that_is_interrupted_removes_nothing_too_early(
    services: Deployment, script: Scripted
) -> None:
    """What the new round has not come to yet still matches, until it has come to the end."""
    script.log = [(f"k{n}", of(n)) for n in range(35)]
    run(services)
    script.log = script.log[1:]
    script.epoch += 1
    for _ in range(3):
        assert not run(services, budget=0).up_to_date
        assert len(held(services)) == 35
    assert run(services).up_to_date
    assert held(services) == script.live()


def test_an_api_without_checkpoints_is_fetched_whole(
    services: Deployment, script: Scripted
) -> None:
    """Whatever the time, or it would never come to its end; and what is gone leaves."""
    script.whole = True
    script.log = [(f"k{n}", of(n)) for n in range(35)]
    assert run(services, budget=0).up_to_date
    del script.log[3:13]
    assert run(services, budget=0).applied.removed == 10
    assert held(services) == script.live()
    assert script.asked == [-1, -1]


def test_an_attempt_from_the_start_sees_what_went_between_two_attempts(
    services: Deployment, script: Scripted
) -> None:
    """Each attempt of an API without checkpoints is a round of its own."""
    script.whole = True
    script.log = [(f"k{n}", of(n)) for n in range(25)]

    def fail(position: int) -> None:
        if position == 20 and len(script.log) == 25:
            del script.log[2:7]
            raise ConnectionError

    script.before = fail
    assert run(services).up_to_date
    assert held(services) == script.live()


def test_a_checkpoint_that_cannot_be_read_is_none(services: Deployment, script: Scripted) -> None:
    """Of another version of the API, say: everything is fetched anew."""
    script.says(a=1, b=2)
    run(services)
    exchange = services.catalog.exchanges.get("LIST")
    services.catalog.progress.begin(exchange, "test", 60)
    odd = {"checkpoint": {"position": "far"}}
    services.catalog.records.store(exchange, "test", 0, odd)
    script.log = script.log[1:]
    assert run(services).up_to_date
    assert held(services) == script.live()


def test_a_new_signal_type_fetches_all_anew(
    services: Deployment, script: Scripted, deploy: Callable[..., Deployment]
) -> None:
    """What the records said of it was not understood the first time."""
    sha = "0" * 64
    script.says(a=Record([("pdq", pdq(1)), ("video_sha256", sha)]), b=2)
    run(services)
    more = deploy(signal_types="pdq,video_md5,video_sha256")
    assert run(more).up_to_date
    assert [entry.signals for entry in catalog_entries(more, "video_sha256").values()] == [(sha,)]
    assert len(catalog_entries(more)) == 2
    assert script.asked == [-1, -1]
    run(services)
    assert script.asked == [-1, -1, 2]


def test_poisoned_records_are_set_aside_with_their_reason(
    services: Deployment, script: Scripted
) -> None:
    """Whatever is wrong with them, they hold up nobody, and heal when they are corrected."""
    script.page = 3
    script.says(
        good=1,
        malformed=Record([("pdq", "no hash")]),
        partly=Record([("pdq", pdq(2)), ("pdq", "x")]),
        told=Poisoned("it has no indicator", "<raw>"),
        sound=Poisoned("one of two cannot be read", "", of(3)),
        raising=Record(5),
        nothing=Record([]),
        odd=Record([("pdq", pdq(4) + "\0")]),
        last=6,
    )
    script.log.append(("nul\0key\ud800", of(8)))
    script.log.append(("long" * 2000, of(9)))
    report = run(services)
    assert (report.error, report.up_to_date, report.applied.poisoned) == (None, True, 6)
    assert held(services) == [pdq(n) for n in (1, 2, 3, 6, 8, 9)]
    exchange = services.catalog.exchanges.get("LIST")
    rows = services.catalog.records.poisoned(exchange, 0, 100)
    reasons = {key: reason for _, key, reason, _ in rows}
    assert reasons == {
        "malformed": "Invalid pdq signal: invalid PDQ hash",
        "partly": "Invalid pdq signal: invalid PDQ hash",
        "told": "it has no indicator",
        "sound": "one of two cannot be read",
        "raising": "TypeError: 'int' object is not iterable",
        "odd": "Invalid pdq signal: invalid PDQ hash",
    }
    script.says(malformed=5, raising=None)
    assert run(services).applied.added == 1
    assert pdq(5) in held(services)
    assert counts(services).poisoned == 4


def test_a_record_that_turns_bad_stops_matching(services: Deployment, script: Scripted) -> None:
    """It is not what it was any more, and what it is nobody knows."""
    script.says(a=1, b=2)
    run(services)
    script.says(a=Poisoned("broken", ""))
    assert run(services).applied.removed == 1
    assert held(services) == [pdq(2)]


def test_records_are_merged_as_their_api_says(services: Deployment, script: Scripted) -> None:
    """With what the exchange said of the same key before, also in another process."""

    def merge(old: Record | None, new: Record) -> Record | None:
        if new.seen == 0:
            return None
        if new.seen < 0:
            raise ValueError("unmergeable")
        return new if old is None else Record([*old.signals, *new.signals], old.seen + new.seen)

    script.merge = merge
    script.page = 1
    script.says(a=1, b=2)
    services.exchange_apis = ExchangeApis({"scripted": api_of(script)})
    run(services)
    script.says(a=3, b=replace(of(4), seen=0), c=replace(of(5), seen=-1), d=None)
    run(services)
    assert held(services) == [pdq(1), pdq(3)]
    assert counts(services).poisoned == 1


def test_a_large_delta_is_written_in_bulk(services: Deployment, script: Scripted) -> None:
    """5,000 updates take a bounded number of statements, first seen, changed and removed."""
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(services.catalog._database.engine, "after_cursor_execute", count)
    script.page = 5000
    services.credentials.set("scripted", {"token": SECRET})
    for offset in (0, 5000, None):
        for n in range(5000):
            script.log.append((f"k{n}", None if offset is None else of(n + offset)))
        before, statements = statements, 0
        run(services)
        # A dozen for each thousand, and those of publishing, which are not of this test.
        assert statements < 200, before
        assert len(catalog_entries(services)) == (0 if offset is None else 5000)


def test_one_fetch_at_a_time_has_an_exchange(services: Deployment, script: Scripted) -> None:
    """A second one leaves at once, having done nothing."""
    script.says(a=1)
    second: list[FetchReport] = []
    script.before = lambda _: second.append(run(services)) if not second else None
    assert run(services).up_to_date
    assert [report.running for report in second] == [True]
    assert script.asked == [-1]


def test_a_fetch_that_lost_its_exchange_changes_nothing(
    services: Deployment, script: Scripted
) -> None:
    """It slept past its lease: what it still wants to write is older than what is there."""
    script.log = [(f"k{n}", of(n)) for n in range(15)]
    others: list[FetchReport] = []

    def slept(position: int) -> None:
        if position == 10 and not others:
            script.log += [("k0", None), ("k14", None)]
            exchange = services.catalog.exchanges.get("LIST")
            services.catalog.leases.take(f"fetch/{exchange.id}", _holder(services), 0)
            others.append(FetchReport("none yet"))
            others.append(run(services))
            del script.log[15:]  # what the one that slept sees is what was

    script.before = slept
    report = run(services)
    assert others[1].up_to_date
    assert "took this exchange over" in str(report.error)
    assert pdq(14) not in held(services)
    assert progress(services).last_fetch_succeeded is True


def _holder(services: Deployment) -> str:
    with services.catalog._database.reading() as session:
        return session.exec(
            select(LeaseRow.holder).where(col(LeaseRow.name).startswith("fetch/"))
        ).one()


def test_an_exchange_that_is_deleted_meanwhile_stays_deleted(
    services: Deployment, script: Scripted
) -> None:
    """The fetch ends, and leaves neither content nor records behind."""
    script.log = [(f"k{n}", of(n)) for n in range(15)]
    script.before = lambda at: services.catalog.exchanges.delete("LIST") if at == 10 else None
    assert "deleted" in str(run(services).error)
    services.publisher.publish("pdq")
    assert held(services) == []
    assert services.catalog.banks.every() == []
    with pytest.raises(NotFound):
        run(services)


def test_what_a_curator_deletes_comes_back_only_with_its_record(
    services: Deployment, script: Scripted
) -> None:
    """Content that nobody wants is better disabled; deleted, it returns when its record does."""
    script.says(a=1, b=2)
    run(services)
    services.catalog.contents.delete("LIST", content_of(services, 1))
    services.publisher.publish("pdq")
    run(services)
    assert held(services) == [pdq(2)]
    script.says(a=1)
    run(services)
    assert held(services) == [pdq(1), pdq(2)]


def test_a_disabled_exchange_is_not_fetched(services: Deployment, script: Scripted) -> None:
    """Neither by name nor with all others; what it has brought stays."""
    script.says(a=1)
    run(services)
    services.catalog.exchanges.update("LIST", enabled=False)
    with pytest.raises(BadInput, match="is disabled"):
        run(services)
    assert fetch_due(services, 60) == []
    assert held(services) == [pdq(1)]


def test_all_have_their_turn_though_one_is_long(services: Deployment, script: Scripted) -> None:
    """Who has waited longest comes first; who is up to date since a moment ago is left alone."""
    script.log = [(f"k{n}", of(n)) for n in range(35)]
    services.credentials.set("scripted", {"token": SECRET})
    services.catalog.exchanges.create("OTHER", "scripted", {})
    turns = [report.exchange for _ in range(2) for report in fetch_due(services, 0)]
    assert turns == ["LIST", "OTHER"]
    done = [report.exchange for report in fetch_due(services, 60, fresh_seconds=3600)]
    assert sorted(done) == ["LIST", "OTHER"]
    assert fetch_due(services, 60, fresh_seconds=3600) == []
    assert len(held(services)) == 70


def test_errors_do_not_tell_credentials(
    services: Deployment, script: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """However the API spells them, in the report, the status, a traceback or a log."""

    def fail(_: int) -> None:
        spelt = f"{SECRET} {quote(SECRET)} {quote(SECRET, safe='')}"
        raise ConnectionError(f"GET https://x/?token={spelt}")

    script.before = fail
    report = run(services)
    said = f"{report} {progress(services)} {caplog.text} {services.settings!r}"
    assert "GET https://x/?token=[redacted]" in said
    assert "s3cret" not in said


def test_an_exchange_without_credentials_says_what_to_do(
    services: Deployment, script: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does not look for any in the environment."""
    monkeypatch.setattr(Credentials, "ENV_VARIABLE", "TX_TOKEN")
    monkeypatch.setenv("TX_TOKEN", SECRET)
    report = fetch(services)
    assert "POST them to /c/exchanges/api/scripted" in str(report.error)
    assert script.asked == []


def test_an_api_that_is_no_longer_there_is_told(services: Deployment) -> None:
    """Its exchange and what it brought stay."""
    services.exchange_apis = ExchangeApis({})
    assert fetch(services).error == "No such exchange type 'scripted'"


def test_status_tells_fetched_from_indexed(services: Deployment, script: Scripted) -> None:
    """With the store away, everything is fetched and nothing of it can be found yet."""
    script.says(a=1, b=2, c=Poisoned("bad", ""))
    services.publisher.publish("pdq")
    del services.publisher

    class Away:
        def publish(self, _: str) -> int:
            raise StoreUnavailable("away")

    services.publisher = Away()  # type: ignore[assignment]
    report = run(services)
    assert (report.up_to_date, report.snapshots) == (True, {})
    there = counts(services)
    assert (there.records, there.poisoned, there.contents, there.unpublished) == (3, 1, 2, 2)
    assert there.signals == {"pdq": 2}
    del services.publisher
    services.publisher.publish("pdq")
    assert counts(services).unpublished == 0
    script.says(a=None)
    services.publisher = Away()  # type: ignore[assignment]
    run(services)
    assert counts(services).unpublished == 1


def test_any_history_ends_with_the_live_set(services: Deployment, script: Scripted) -> None:
    """Random changes, failures, short budgets and stale checkpoints, compared at each end."""
    rng = random.Random(7)
    script.page = 4
    for _ in range(15):
        for _ in range(rng.randrange(12)):
            key = f"k{rng.randrange(15)}"
            many = of(*(rng.randrange(40) for _ in range(rng.randrange(3))))
            script.log.append((key, rng.choice([None, many, many])))
        if rng.random() < 0.2:
            script.epoch += 1
            script.log = [item for item in dict(script.log).items() if item[1] is not None]
        fails = rng.randrange(20)

        def fail(position: int, fails: int = fails) -> None:
            if position == fails and rng.random() < 0.5:
                raise ConnectionError

        script.before = fail
        run(services, budget=0 if rng.random() < 0.3 else 60)
        script.before = lambda _: None
        assert run(services).up_to_date
        expected = Counter(
            pdq
            for record in dict(script.log).values()
            if record is not None
            for _, pdq in set(record.signals)
        )
        assert Counter(held(services)) == expected


def test_a_record_takes_over_the_content_that_was_moved_here_for_its_key(
    services: Deployment, script: Scripted
) -> None:
    """Clients keep its id. What the exchange no longer has leaves when all has been read."""
    exchange = services.catalog.exchanges.get("LIST")
    ids = [services.catalog.contents.add("LIST", {"pdq": pdq(n)}).id for n in (1, 2)]
    with services.catalog._database.writing() as session:
        session.add_all(
            ExchangeRecordRow(exchange_id=exchange.id, key=key, content_id=content_id)
            for key, content_id in zip(["kept", "gone"], ids, strict=True)
        )
    script.says(kept=1, new=3)
    report = run(services)
    assert (report.applied.added, report.applied.changed, report.applied.removed) == (1, 0, 1)
    assert content_of(services, 1) == ids[0]
    assert held(services) == [pdq(1), pdq(3)]
