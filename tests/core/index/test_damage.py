"""A damaged file is noticed, reported, fetched again, and never answered from.

Every kind of file there is, each with a flipped bit, cut short and emptied, in the store, in the
cache and in both.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.errors import SegmentCorrupt
from core.hashing import vpdq
from core.hashing.pdq import Pdq
from core.index.objects import banks, cache, segment
from core.index.objects.layout import Layout
from core.index.objects.snapshot import FileRef
from core.index.publishing import publish
from core.index.reading.read import Index
from tests.deployment import Deployment, TurnedClock, random_signal, settings_for
from tests.published import catalog_entries, published_entries

SIGNALS: dict[str, Callable[[random.Random], str]] = {
    "pdq": random_signal,
    "video_md5": lambda rng: random_signal(rng, 128),
    "url": lambda rng: f"https://example.org/{random_signal(rng)}",
    "raw_text": lambda rng: random_signal(rng, 512),
    "vpdq": lambda rng: vpdq.write_signal(
        vpdq.Frame(Pdq(random_signal(rng), 100), float(second)) for second in range(3)
    ),
}
COLUMNS = ("ids", "banks", "until", "extras", "extras_offsets", "removed", "owners")
NAMES = {  # the columns, which every kind has alike, once
    "pdq": (*COLUMNS, "codes", "postings"),
    "video_md5": ("digests",),
    "url": ("digests", "signals", "signals_offsets"),
    "raw_text": ("signals", "signals_offsets"),
    "vpdq": ("codes", "postings", "starts"),
}
CACHED = [(type_, name) for type_, names in NAMES.items() for name in (*names, "bank list")]
STORED = [*CACHED, *((type_, "snapshot") for type_ in NAMES)]


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]


def cut_short(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


damages = pytest.mark.parametrize("damage", [flipped, cut_short, emptied])
Damage = Callable[[bytes], bytes]


@dataclass
class Published:
    """A deployment with two segments of each type, whose files are neither empty nor alike.

    Attributes:
        expected: by signal type the ids that match each signal ever banked.
    """

    deployment: Deployment
    clock: TurnedClock
    expected: dict[str, dict[str, list[int]]]

    def reader(self, cache_dir: Path) -> Index:
        """A process that has just started, soon after the publication."""
        self.clock.now = TurnedClock().now
        settings = self.deployment.settings.model_copy(update={"cache_dir": cache_dir})
        return Index(self.deployment.store, self.deployment.signal_types, settings, self.clock)

    def check(self, index: Index, type_: str) -> None:
        """Every answer is right, and after them what is fetched in the background has come."""
        self.clock.now += 2
        expected = self.expected[type_]
        found = index.get(type_).search(list(expected))
        assert [[one.content_id for one in each] for each in found] == list(expected.values())
        assert {one.bank.name for each in found for one in each} == {"KNOWN"}
        for thread in threading.enumerate():
            if thread.name == "postings":
                thread.join()

    def file(self, type_: str, name: str) -> tuple[str, FileRef | None]:
        """The key of a file of the newest snapshot; what it says of it, unless it is itself."""
        newest = self.deployment.newest(type_)
        if name == "snapshot":
            return Layout(type_).snapshot(newest.number), None
        if name == "bank list":
            assert newest.bank_list is not None
            listed = newest.bank_list
            return Layout(type_).segment_file(listed.id, banks.KIND), listed.files[banks.KIND]
        second = newest.segments[1]
        return Layout(type_).segment_file(second.id, name), second.files[name]


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Even a few rows have postings, a file of several ranges, and a list of banks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(banks, "INLINE_BYTES", 0)
        patch.setattr(segment, "FEWEST_ROWS", 1)
        patch.setattr(publish, "LITTLE_BYTES", 0)
        patch.setattr(cache, "RANGE_BYTES", 16 * cache.BLOCK_BYTES)
        yield


@pytest.fixture(scope="module")
def published(small: None, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("damage")
    clock = TurnedClock()
    deployment = Deployment(
        settings_for(
            folder,
            tail_entries=1,
            signal_types=tuple(NAMES),
            content_types=("photo", "text", "video"),
        ),
        clock,
    )
    rng = random.Random(1)
    expected: dict[str, dict[str, list[int]]] = {}
    for type_, make in SIGNALS.items():
        matching = expected[type_] = {}
        for times in ((1, 1_000_000_000, 1), (1, 1_000_000_000, 1, 1)):
            gone = [ids[0] for ids in matching.values() if ids][:1]
            for content_id in gone:
                deployment.catalog.contents.delete("KNOWN", content_id)
            matching |= {signal: [] for signal, ids in matching.items() if ids == gone}
            for until in times:
                signal = make(rng)
                content_id = deployment.add(signal, signal_type=type_, note="seen before")
                deployment.catalog.contents.update("KNOWN", content_id, disable_until_ts=until)
                matching[signal] = [content_id]
            deployment.publisher.publish(type_)
        assert len(deployment.newest(type_).segments) == 2
    return Published(deployment, clock, expected)


@pytest.fixture
def damaged(published: Published) -> Iterator[Callable[[str, Damage], None]]:
    """Damages an object of the store, which is put right at the end of the test."""
    store = published.deployment.store
    good: dict[str, bytes] = {}

    def damage_object(key: str, damage: Damage) -> None:
        good[key] = store.get(key)
        assert damage(good[key]) != good[key], "nothing to damage"
        store.put(key, damage(good[key]))

    yield damage_object
    for key, data in good.items():
        store.put(key, data)


DamageObject = Callable[[str, Damage], None]


@damages
@pytest.mark.parametrize(("type_", "name"), STORED)
def test_in_the_store(
    published: Published,
    damaged: DamageObject,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    type_: str,
    name: str,
    damage: Damage,
) -> None:
    """An error that names the file until it is right again, then the right answers."""
    key, _ = published.file(type_, name)
    good = published.deployment.store.get(key)
    damaged(key, damage)
    index = published.reader(tmp_path)
    if name == "postings":  # without which the same answers take a scan
        published.check(index, type_)
        assert not index.get(type_).segments[key.split("/")[-2]].has_postings
        assert key in caplog.text
    else:
        with pytest.raises(SegmentCorrupt, match=key) as raised:
            index.get(type_)
        assert raised.value.status == 503
        assert raised.value.retry_after
    published.deployment.store.put(key, good)
    published.check(index, type_)
    layers = index.get(type_).segments.values()
    assert all(layer.has_postings for layer in layers) == ("postings" in NAMES[type_])


@damages
@pytest.mark.parametrize(("type_", "name"), CACHED)
def test_in_the_cache(
    published: Published,
    damaged: DamageObject,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    type_: str,
    name: str,
    damage: Damage,
) -> None:
    """The next process says so and fetches it again; an error only while the store has no better.

    The sums that vouch for a cached file may be what is damaged.
    """
    key, ref = published.file(type_, name)
    assert ref is not None
    published.check(published.reader(tmp_path), type_)
    cached = tmp_path / ref.sha256
    good = cached.read_bytes()
    for path in (cached, cached.with_suffix(".sums")):
        path.write_bytes(damage(path.read_bytes()))
        caplog.clear()
        published.check(published.reader(tmp_path), type_)
        assert cached.read_bytes() == good
        assert str(cached) in caplog.text
    cached.write_bytes(damage(good))
    damaged(key, damage)
    index = published.reader(tmp_path)
    if name == "postings" and len(damage(good)) != len(good):  # as good as not there yet
        published.check(index, type_)
    else:
        with pytest.raises(SegmentCorrupt, match=key):
            index.get(type_)
    published.deployment.store.put(key, good)
    published.check(index, type_)
    assert cached.read_bytes() == good


@pytest.mark.parametrize("name", ["ids", "codes", "bank list", "snapshot"])
def test_in_what_a_reader_has_not_seen_yet(
    small: None, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """It says so once, goes on with what it holds as long as that may be true, and catches up."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=1), clock)
    published = Published(deployment, clock, {"pdq": {"0" * 64: [1, 2], "f" * 64: []}})
    for _ in range(2):
        deployment.add("0" * 64)
    deployment.publisher.publish("pdq")
    index = published.reader(tmp_path / "reader")
    published.check(index, "pdq")
    for _ in range(2):
        deployment.add("f" * 64)
    deployment.catalog.banks.update("KNOWN", "RENAMED")
    deployment.catalog.banks.update("RENAMED", "KNOWN", 0.5)
    deployment.publisher.publish("pdq")
    key, _ = published.file("pdq", name)
    good = deployment.store.get(key)
    deployment.store.put(key, flipped(good))
    caplog.clear()
    for _ in range(3):
        published.check(index, "pdq")
    assert caplog.text.count(key) == 1
    clock.now += deployment.settings.max_stale_seconds
    with pytest.raises(SegmentCorrupt, match=key):
        index.get("pdq")
    deployment.store.put(key, good)
    published.expected["pdq"]["f" * 64] = [3, 4]
    deployment.publisher.publish("pdq")  # the heartbeat that is due
    published.check(index, "pdq")


@pytest.mark.parametrize("name", [*NAMES["pdq"], "bank list", "snapshot"])
def test_before_a_publisher(small: None, tmp_path: Path, name: str) -> None:
    """It merges nothing that is damaged, and publishes all there is as soon as it can."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=1))
    published = Published(deployment, TurnedClock(), {})
    rng = random.Random(2)
    ids: list[int] = []
    for count in (3, 4):
        for content_id in ids[:1]:
            deployment.catalog.contents.delete("KNOWN", content_id)
        ids += [deployment.add(random_signal(rng), note="n") for _ in range(count)]
        deployment.catalog.contents.update("KNOWN", ids[-1], disable_until_ts=0)
        deployment.publisher.publish("pdq")
    key, _ = published.file("pdq", name)
    good = deployment.store.get(key)
    deployment.store.put(key, flipped(good))
    other = Deployment(deployment.settings.model_copy(update={"cache_dir": tmp_path / "other"}))
    other.add(random_signal(rng))
    if name in ("postings", "bank list"):  # which a merge does not read
        other.publisher.publish_all()
    else:
        with pytest.raises(SegmentCorrupt, match=key):
            other.publisher.publish_all()
    deployment.store.put(key, good)
    other.publisher.publish_all()
    assert published_entries(other) == catalog_entries(other)
    other.catalog.close()


def test_a_file_that_was_never_damaged_is_not_reported(
    published: Published, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither when it is fetched nor when it is opened again."""
    with caplog.at_level(logging.WARNING):
        for type_ in NAMES:
            for _ in range(2):
                published.check(published.reader(tmp_path), type_)
    assert not caplog.records
