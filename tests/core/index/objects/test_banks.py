"""A snapshot stays small whatever the catalog holds, and what it leaves out is as safe as it."""

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from core.errors import SegmentCorrupt
from core.index.objects import banks
from core.index.objects.layout import Layout
from core.index.objects.snapshot import Snapshot
from core.index.publishing.publish import Publisher
from core.index.reading.read import Index
from core.store import ObjectStore
from tests.deployment import Deployment, TurnedClock, random_signal, settings_for
from tests.published import catalog_entries, published_entries

MB = 1 << 20


class Counted:
    """A store that counts the bytes that go either way."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.moved = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, key: str) -> bytes:
        data = self._store.get(key)
        self.moved += len(data)
        return data

    def get_range(self, key: str, start: int, end: int) -> bytes:
        data = self._store.get_range(key, start, end)
        self.moved += len(data)
        return data

    def create(self, key: str, data: bytes) -> None:
        self.moved += len(data)
        self._store.create(key, data)

    def put(self, key: str, data: bytes) -> None:
        self.moved += len(data)
        self._store.put(key, data)

    def upload(self, key: str, source: Path) -> None:
        self.moved += source.stat().st_size
        self._store.upload(key, source)


def add_banks(folder: Path, count: int) -> None:
    """Straight into the catalog of a deployment: through the API they would take minutes."""
    with sqlite3.connect(folder / "catalog.db") as connection:
        connection.executemany(
            "INSERT INTO bank (name, enabled_ratio, allow_list, crops) VALUES (?, ?, 0, 0)",
            [(f"A_LIST_OF_SOME_ORGANISATION_{n}", n / count) for n in range(count)],
        )
    connection.close()


def document(deployment: Deployment, snapshot: Snapshot) -> bytes:
    return deployment.store.get(Layout("pdq").snapshot(snapshot.number))


def test_one_hash_more_moves_under_a_megabyte_with_20_000_banks(tmp_path: Path) -> None:
    """Each of 16, through flushes and merges, publisher and reader together; answers are whole."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=5), clock)
    add_banks(tmp_path, 20_000)
    listed = deployment.catalog.banks.indexed()
    rng = random.Random(1)
    store = Counted(deployment.store)
    publisher = Publisher(
        deployment.catalog.source, store, deployment.signal_types, deployment.settings, clock
    )
    reader_settings = deployment.settings.model_copy(update={"cache_dir": tmp_path / "reader"})
    reader = Index(store, deployment.signal_types, reader_settings, clock)
    publisher.publish("pdq")
    reader.get("pdq")
    assert 1.2 * MB < store.moved < 6 * MB  # the list itself, once written and once read
    flushed = 0
    for _ in range(16):
        bank = rng.choice(listed)
        signal = random_signal(rng)
        metadata = {"json": {"case": "c" * rng.randrange(1500)}}
        content_id = deployment.catalog.contents.add(bank.name, {"pdq": signal}, metadata, None).id
        store.moved = 0
        number = publisher.publish("pdq")
        clock.now += 1
        index = reader.get("pdq", min_snapshot=number)
        assert store.moved < MB
        flushed += not index.snapshot.tail
        (found,) = index.search([signal])[0]
        assert (found.content_id, found.bank, found.metadata) == (content_id, bank, metadata)
    assert flushed > 1
    assert len(document(deployment, deployment.newest())) < MB / 2
    assert published_entries(deployment) == catalog_entries(deployment)


def test_a_few_banks_stand_in_the_snapshot(deployment: Deployment) -> None:
    """One request less for most deployments."""
    deployment.add(random_signal(random.Random(2)))
    deployment.publisher.publish("pdq")
    snapshot = deployment.newest()
    assert snapshot.bank_list is None
    assert "bank_list" not in json.loads(document(deployment, snapshot))["snapshot"]
    assert [bank.name for bank in snapshot.banks] == ["KNOWN"]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def listing(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> tuple[Deployment, str]:
    """A deployment whose banks stand in a file, and a signal that is banked in KNOWN."""
    monkeypatch.setattr(banks, "INLINE_BYTES", 0)
    deployment = Deployment(settings_for(tmp_path), clock)
    signal = random_signal(random.Random(3))
    deployment.add(signal)
    deployment.publisher.publish("pdq")
    return deployment, signal


def key_of_banks(deployment: Deployment) -> str:
    listed = deployment.newest().bank_list
    assert listed is not None
    return Layout("pdq").segment_file(listed.id, banks.KIND)


def fresh(deployment: Deployment, clock: TurnedClock, cache_dir: Path) -> Index:
    """What a process that has just started, on another machine, answers from."""
    elsewhere = deployment.settings.model_copy(update={"cache_dir": cache_dir})
    return Index(deployment.store, deployment.signal_types, elsewhere, clock)


def bank_names(index: Index, signal: str) -> list[str]:
    return [found.bank.name for found in index.get("pdq").search([signal])[0]]


def test_a_renamed_bank_is_another_file_and_the_old_one_is_collected(
    listing: tuple[Deployment, str], clock: TurnedClock
) -> None:
    """Also when it gets its old name back: what no snapshot names may be deleted at any time."""
    deployment, signal = listing
    keys = [key_of_banks(deployment)]
    for old, new in [("KNOWN", "OTHER"), ("OTHER", "KNOWN")]:
        deployment.catalog.banks.update(old, new)
        deployment.publisher.publish_all()
        clock.now += 2
        assert bank_names(deployment.index, signal) == [new]
        keys.append(key_of_banks(deployment))
    assert len(set(keys)) == 3
    for _ in range(3):
        clock.now += deployment.settings.grace_seconds
        deployment.publisher.publish_all()
    stored = {info.key for info in deployment.store.list("index/pdq/segments/")}
    assert stored & set(keys) == {keys[-1]}
    assert bank_names(deployment.index, signal) == ["KNOWN"]


def test_an_unchanged_list_is_not_written_again(listing: tuple[Deployment, str]) -> None:
    """A further snapshot names the object that holds the banks already."""
    deployment, _ = listing
    key = key_of_banks(deployment)
    deployment.add(random_signal(random.Random(4)))
    deployment.publisher.publish("pdq")
    assert deployment.newest().number == 2
    assert key_of_banks(deployment) == key


def test_a_rebuild_mends_a_list_that_is_damaged_in_the_store(
    listing: tuple[Deployment, str], clock: TurnedClock, tmp_path: Path
) -> None:
    """As the error says it does."""
    deployment, signal = listing
    deployment.store.put(key_of_banks(deployment), b"[]")
    with pytest.raises(SegmentCorrupt, match="publish --rebuild"):
        fresh(deployment, clock, tmp_path / "empty").get("pdq")
    deployment.publisher.rebuild("pdq")
    assert bank_names(fresh(deployment, clock, tmp_path / "empty"), signal) == ["KNOWN"]


def test_a_list_that_the_newest_snapshot_names_is_not_taken_for_dead(
    listing: tuple[Deployment, str], clock: TurnedClock, tmp_path: Path
) -> None:
    """Collecting again and again leaves it alone, however old it is."""
    deployment, signal = listing
    key = key_of_banks(deployment)
    for _ in range(3):
        clock.now += 2 * deployment.settings.grace_seconds
        deployment.publisher.publish_all()
    assert key_of_banks(deployment) == key
    assert bank_names(fresh(deployment, clock, tmp_path / "empty"), signal) == ["KNOWN"]


def test_segments_stay_few_where_nobody_schedules_merges(tmp_path: Path) -> None:
    """A snapshot names a bounded number of them, whatever was published and nobody merged."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=1))
    rng = random.Random(5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.index.publishing.compact.MANY", 6)
        patch.setattr(
            "core.index.publishing.publish.LITTLE_BYTES", 0
        )  # as when each flush is large
        most = 0
        for _ in range(20):
            for _ in range(2):
                deployment.add(random_signal(rng))
            deployment.publisher.publish("pdq")
            most = max(most, len(deployment.newest().segments))
    assert most <= 6
    assert published_entries(deployment) == catalog_entries(deployment)
