"""A reader answers from the newest snapshot, notices damage, and says nothing when unsure."""

import random
import threading
from pathlib import Path

import pytest

from core.errors import IndexNotReady, IndexStale, SegmentCorrupt, Unavailable
from core.index.objects.layout import Layout
from core.index.reading.read import Index
from tests.deployment import Deployment, TurnedClock, random_signal, settings_for


def segmented(tmp_path: Path, **changes: object) -> tuple[Deployment, str, int]:
    """A deployment whose content stands in a segment, with the signal and id of one of it."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=1, **changes))
    rng = random.Random(1)
    signal = random_signal(rng)
    content_id = deployment.add(signal)
    for _ in range(5):
        deployment.add(random_signal(rng))
    deployment.publisher.publish("pdq")
    assert len(deployment.newest().segments) == 1
    return deployment, signal, content_id


def test_no_snapshot_is_not_no_match(deployment: Deployment) -> None:
    """A reader of an empty store says that it does not know."""
    with pytest.raises(IndexNotReady, match="index not yet ready"):
        deployment.index.get("pdq")


def test_the_request_after_refresh_seconds_sees_what_is_new(tmp_path: Path) -> None:
    """No thread works between requests: the one that comes after a long sleep looks itself."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, refresh_seconds=1), clock)
    deployment.publisher.publish("pdq")
    threads = threading.active_count()
    assert deployment.index.get("pdq").search(["0" * 64])[0] == []
    content_id = deployment.add("0" * 64)
    deployment.publisher.publish("pdq")
    clock.now += 0.9
    assert not deployment.index.due("pdq")
    assert deployment.index.get("pdq").search(["0" * 64])[0] == []
    clock.now += 0.2
    assert deployment.index.due("pdq")
    assert [f.content_id for f in deployment.index.get("pdq").search(["0" * 64])[0]] == [content_id]
    assert threading.active_count() == threads


def test_a_clock_that_is_set_back_is_a_reason_to_look(tmp_path: Path) -> None:
    """Or the reader would hold its snapshot for fresh until the clock caught up."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path), clock)
    deployment.publisher.publish("pdq")
    deployment.index.get("pdq")
    clock.now -= 3600
    assert deployment.index.due("pdq")


def test_min_snapshot_gives_read_your_writes(tmp_path: Path) -> None:
    """A reader that looked a moment ago looks again for it, and says so when it is not there."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path), clock)
    deployment.publisher.publish("pdq")
    deployment.index.get("pdq")
    content_id = deployment.add("0" * 64)
    number = deployment.publisher.publish("pdq")
    assert deployment.index.get("pdq").search(["0" * 64])[0] == []
    found = deployment.index.get("pdq", min_snapshot=number).search(["0" * 64])[0]
    assert [f.content_id for f in found] == [content_id]
    with pytest.raises(Unavailable, match="not there yet"):
        deployment.index.get("pdq", min_snapshot=number + 1)


def test_a_snapshot_that_no_publisher_confirms_goes_stale(tmp_path: Path) -> None:
    """The store answers, but nothing was published for too long: 503, until a heartbeat comes."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, max_stale_seconds=300), clock)
    deployment.publisher.publish("pdq")
    deployment.index.get("pdq")
    clock.now += 301
    with pytest.raises(IndexStale, match="is `publish` scheduled"):
        deployment.index.get("pdq")
    deployment.publisher.publish("pdq")
    clock.now += 2
    deployment.index.get("pdq")


def test_a_flipped_bit_in_the_cache_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    """Every file of a segment, each damaged in the cache: the next process mends it."""
    deployment, signal, content_id = segmented(tmp_path)
    assert deployment.matching(signal) == [content_id]
    for cached in sorted((tmp_path / "cache").iterdir()):
        data = bytearray(cached.read_bytes())
        if not data:
            continue
        data[len(data) // 2] ^= 4
        cached.write_bytes(data)
        assert deployment.matching(signal) == [content_id]
        assert cached.read_bytes() != bytes(data)


@pytest.mark.parametrize("damage", ["flip", "truncate", "extend", "pickle"])
def test_a_damaged_segment_in_the_store_is_never_answered_from(tmp_path: Path, damage: str) -> None:
    """Whatever was done to a file of it, and whichever: an error that names it, no answer."""
    deployment, signal, content_id = segmented(tmp_path)
    (segment,) = deployment.newest().segments
    content = [ref.sha256 for ref in segment.files.values()]
    for name, ref in segment.files.items():
        if content.count(ref.sha256) > 1:  # one in the cache, fetched from any of them
            continue
        key = Layout("pdq").segment_file(segment.id, name)
        good = deployment.store.get(key)
        if not good and damage in ("flip", "truncate"):
            continue
        bad = {
            "flip": good[:-1] + bytes([good[-1] ^ 1]) if good else b"",
            "truncate": good[:-1],
            "extend": good + b"\0",
            "pickle": b"cos\nsystem\n(S'touch /tmp/executed'\ntR.",
        }[damage]
        deployment.store.put(key, bad)
        for cached in (tmp_path / "cache").glob("*"):
            cached.unlink()
        with pytest.raises(SegmentCorrupt, match=name):
            deployment.matching(signal)
        deployment.store.put(key, good)
    assert deployment.matching(signal) == [content_id]


def test_a_damaged_new_segment_leaves_the_old_snapshot_answering(tmp_path: Path) -> None:
    """What we hold is still true; it is given up when it is too old, not before."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=1), clock)
    first = deployment.add("0" * 64)
    deployment.publisher.publish("pdq")
    assert [f.content_id for f in deployment.index.get("pdq").search(["0" * 64])[0]] == [first]
    for _ in range(3):
        deployment.add("f" * 64)
    deployment.publisher.publish("pdq")
    (segment,) = deployment.newest().segments
    deployment.store.put(Layout("pdq").segment_file(segment.id, "ids"), b"damaged")
    clock.now += 2
    assert [f.content_id for f in deployment.index.get("pdq").search(["0" * 64])[0]] == [first]
    clock.now += deployment.settings.max_stale_seconds
    with pytest.raises(SegmentCorrupt):
        deployment.index.get("pdq")


def test_a_segment_that_was_merged_away_is_resolved_anew(tmp_path: Path) -> None:
    """A reader that follows a snapshot whose segments are gone goes to the newest instead."""
    deployment, signal, content_id = segmented(tmp_path)
    old = deployment.newest()
    reader = Index(deployment.store, deployment.signal_types, deployment.settings)
    deployment.publisher.rebuild("pdq")
    kept = {ref.id for ref in deployment.newest().segments}
    for segment in old.segments:
        if segment.id not in kept:
            for name in segment.files:
                deployment.store.delete(Layout("pdq").segment_file(segment.id, name))
    assert [f.content_id for f in reader.get("pdq").search([signal])[0]] == [content_id]


def test_large_files_come_in_ranges_and_arrive_whole(tmp_path: Path) -> None:
    """A file of several ranges has the checksum of the original."""
    import hashlib

    from core.index.objects.cache import RANGE_BYTES, DiskCache
    from core.index.objects.snapshot import FileRef

    deployment = Deployment(settings_for(tmp_path))
    data = random.Random(3).randbytes(2 * RANGE_BYTES + 12345)
    deployment.store.put("big", data)
    cache = DiskCache(deployment.store, tmp_path / "cache")
    path = cache.file("big", FileRef(len(data), hashlib.sha256(data).hexdigest()))
    assert path.read_bytes() == data


def test_the_cache_forgets_what_nobody_opened_for_a_day(tmp_path: Path) -> None:
    """What was opened lately stays."""
    import os

    from core.index.objects.cache import DiskCache

    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "new").write_bytes(b"")
    os.utime(tmp_path / "old", (1, 1))
    DiskCache(Deployment(settings_for(tmp_path / "d")).store, tmp_path).prune()
    assert not (tmp_path / "old").exists()
    assert (tmp_path / "new").exists()


def test_postings_that_are_gone_keep_no_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment is merged away before its postings came: its successor gets its own."""
    monkeypatch.setattr("core.index.objects.segment.FEWEST_ROWS", 1)
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=1), clock)
    for _ in range(5):
        deployment.add("0" * 64)
    deployment.publisher.publish("pdq")
    (old,) = deployment.newest().segments
    deployment.store.delete(Layout("pdq").segment_file(old.id, "postings"))
    reader = Index(deployment.store, deployment.signal_types, deployment.settings, clock)
    for rebuild in (False, True):
        if rebuild:
            deployment.publisher.rebuild("pdq")
        clock.now += 2
        index = reader.get("pdq")
        assert len(index.search(["0" * 64])[0]) == 5
        for thread in threading.enumerate():
            if thread.name == "postings":
                thread.join()
        assert [one.has_postings for one in index.segments.values()] == [rebuild]
