"""The newest snapshot always equals the catalog, however it came about."""

import random
import threading
from pathlib import Path
from typing import Any

import pytest
from threatexchange.signal_type.pdq.signal import PdqSignal

from core.errors import ObjectExists, SeveralWriters
from core.index.entry import Entry, IndexedBank
from core.index.layers.binary import BinaryKind
from core.index.layers.columns import Columns
from core.index.layers.layer import Layer
from core.index.objects.layout import Layout
from core.index.objects.snapshot import FileRef, SegmentRef, Snapshot, Tail
from core.index.publishing.publish import Publisher
from core.index.reading.loaded import LoadedIndex
from core.index.reading.read import Index
from core.settings import Settings
from core.store import ObjectStore
from tests.deployment import Deployment, TurnedClock, altered, random_signal, settings_for
from tests.published import catalog_entries, published_entries

BINARY = BinaryKind()


def test_one_hash_and_two_identical_ones_match(deployment: Deployment) -> None:
    """An index of exactly one hash matches it; so do two identical hashes."""
    signal = random_signal(random.Random(1))
    first = deployment.add(signal)
    deployment.publisher.publish("pdq")
    assert deployment.matching(signal) == [first]
    second = deployment.add(signal)
    deployment.publisher.publish("pdq")
    assert deployment.matching(signal) == [first, second]


def test_the_index_equals_the_catalog_after_any_history(tmp_path: Path) -> None:
    """Adds, removals, disabling, renames and bank deletions, through many merges of segments."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=5))
    rng = random.Random(3)
    banks = ["A", "B", "C"]
    ids: dict[int, str] = {}
    for step in range(400):
        bank = rng.choice(banks)
        roll = rng.random()
        if roll < 0.6 or not ids:
            extra: dict[str, Any] = rng.choice(
                [{}, {"note": "n"}, {"metadata": {"json": {"step": step}}}]
            )
            ids[deployment.add(random_signal(rng), bank, **extra)] = bank
        elif roll < 0.8:
            content_id = rng.choice(list(ids))
            deployment.catalog.contents.delete(ids.pop(content_id), content_id)
        elif roll < 0.95:
            content_id = rng.choice(list(ids))
            until = rng.choice([0, 1])
            deployment.catalog.contents.update(ids[content_id], content_id, disable_until_ts=until)
        elif roll < 0.98 and bank in ids.values():
            deployment.catalog.banks.update(bank, None, rng.random())
        elif bank in ids.values():
            deployment.catalog.banks.delete(bank)
            ids = {i: b for i, b in ids.items() if b != bank}
        if rng.random() < 0.7:
            deployment.publisher.publish("pdq")
    number = deployment.publisher.publish("pdq")
    snapshot = deployment.newest()
    assert snapshot.number == number
    assert published_entries(deployment) == catalog_entries(deployment)
    assert list(snapshot.banks) == list(deployment.catalog.banks.indexed())
    assert len(snapshot.segments) < 12


def test_a_rebuild_from_the_catalog_equals_what_was_published(tmp_path: Path) -> None:
    """Sixty small publications and one rebuild of a single segment hold the same."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=5))
    rng = random.Random(4)
    for _ in range(60):
        deployment.add(random_signal(rng))
        deployment.publisher.publish("pdq")
    before = published_entries(deployment)
    deployment.publisher.rebuild("pdq")
    assert published_entries(deployment) == before == catalog_entries(deployment)
    assert len(deployment.newest().segments) == 1


def test_a_lost_store_is_made_anew_from_the_catalog(tmp_path: Path) -> None:
    """Published content has no marks left, and still is in the first snapshot of a new store."""
    deployment = Deployment(settings_for(tmp_path))
    signal = random_signal(random.Random(5))
    content_id = deployment.add(signal)
    deployment.publisher.publish("pdq")
    (tmp_path / "another").mkdir()
    moved = settings_for(tmp_path, store_url=f"file://{tmp_path / 'another'}")
    after = Deployment(moved)
    assert after.publisher.publish("pdq") == 1
    assert after.matching(signal) == [content_id]


def test_nothing_to_publish_writes_nothing_until_a_heartbeat_is_due(tmp_path: Path) -> None:
    """An idle index is confirmed often enough that readers never take it for stale."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, max_stale_seconds=300), clock)
    assert deployment.publisher.publish("pdq") == 1
    clock.now += 99
    assert deployment.publisher.publish("pdq") == 1
    clock.now += 2
    assert deployment.publisher.publish("pdq") == 2


def test_our_own_success_that_looks_like_a_conflict_is_a_success(tmp_path: Path) -> None:
    """A create that is repeated after a time-out finds itself; its marks are cleared."""

    class Repeating:
        """A store whose client sends every create twice, as one does after a time-out."""

        def __init__(self, store: ObjectStore) -> None:
            self._store = store

        def __getattr__(self, name: str) -> object:
            return getattr(self._store, name)

        def create(self, key: str, data: bytes) -> None:
            self._store.create(key, data)
            if "/snapshots/" in key:
                with pytest.raises(ObjectExists):
                    self._store.create(key, data)
                raise ObjectExists(key)

    deployment = Deployment(settings_for(tmp_path))
    deployment.add(random_signal(random.Random(6)))
    publisher = Publisher(
        deployment.catalog.source,
        Repeating(deployment.store),  # type: ignore[arg-type]
        deployment.signal_types,
        deployment.settings,
    )
    assert publisher.publish("pdq") == 1
    assert not deployment.catalog.marks.pending("pdq", 10)


def test_32_threads_lose_nothing(tmp_path: Path) -> None:
    """Each banks and publishes at once; what `publish` returned holds its own content."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=10))
    deployment.add("0" * 64)
    numbers: dict[int, int] = {}

    def work(seed: int) -> None:
        content_id = deployment.add(random_signal(random.Random(seed)))
        numbers[content_id] = deployment.publisher.publish("pdq")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 32
    assert published_entries(deployment) == catalog_entries(deployment)
    for content_id, number in numbers.items():
        assert content_id in published_entries(deployment, number)


class IgnoresConditions:
    """A store that overwrites where it was asked to create, as some do."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes) -> None:
        self._store.put(key, data)


def publisher_on_careless_store(deployment: Deployment, settings: Settings) -> Publisher:
    careless = IgnoresConditions(deployment.store)
    return Publisher(
        deployment.catalog.source,
        careless,  # type: ignore[arg-type]
        deployment.signal_types,
        settings,
    )


def test_a_store_without_create_takes_one_declared_publisher_and_no_second(tmp_path: Path) -> None:
    """Undeclared: refused. Declared: the first publishes, a second is refused while it is there."""
    settings = settings_for(tmp_path)
    deployment = Deployment(settings)
    deployment.add(random_signal(random.Random(7)))
    with pytest.raises(SeveralWriters, match="HMA_SINGLE_WRITER"):
        publisher_on_careless_store(deployment, settings).publish("pdq")
    declared = settings_for(tmp_path, single_writer=True)
    first = publisher_on_careless_store(deployment, declared)
    assert first.publish("pdq") == 1
    with pytest.raises(SeveralWriters, match="another publisher"):
        publisher_on_careless_store(deployment, declared).publish("pdq")
    deployment.add(random_signal(random.Random(8)))
    assert first.publish("pdq") == 2


def test_published_objects_are_never_changed(tmp_path: Path) -> None:
    """A snapshot is immutable: everything but the hint stays byte for byte as first written."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=3))
    rng = random.Random(9)
    seen: dict[str, bytes] = {}
    for _ in range(40):
        deployment.add(random_signal(rng))
        deployment.publisher.publish("pdq")
        now = {info.key: deployment.store.get(info.key) for info in deployment.store.list("index/")}
        now.pop("index/pdq/latest.json")
        assert seen.items() <= now.items()
        seen = now
    assert Layout("pdq").snapshot(40) in seen


def test_a_lookup_never_mixes_two_snapshots(deployment: Deployment) -> None:
    """While a bank is renamed over and over, all matches of one lookup carry the same name."""
    rng = random.Random(10)
    centre = random_signal(rng)
    for _ in range(20):
        deployment.add(altered(rng, centre, 5), "NAME_A")
    deployment.publisher.publish("pdq")
    stop = threading.Event()
    seen: set[str] = set()
    problems: list[object] = []

    def read() -> None:
        index = Index(deployment.store, deployment.signal_types, deployment.settings)
        while not stop.is_set():
            found = index.get("pdq").search([centre])[0]
            names = {one.bank.name for one in found}
            if len(names) != 1 or len(found) != 20:
                problems.append((names, len(found)))
            seen.update(names)

    reader = threading.Thread(target=read)
    reader.start()
    for old, new in [("NAME_A", "NAME_B"), ("NAME_B", "NAME_A")] * 10:
        deployment.catalog.banks.update(old, new, None)
        deployment.publisher.publish("pdq")
    stop.set()
    reader.join()
    assert not problems
    assert seen == {"NAME_A", "NAME_B"}


def test_a_malformed_signal_in_the_catalog_breaks_no_index(deployment: Deployment) -> None:
    """However it came there, it is left out, and its neighbours match."""
    good = random_signal(random.Random(11))
    content_id = deployment.add(good)
    deployment.add("not a hash")
    deployment.publisher.publish("pdq")
    assert deployment.matching(good) == [content_id]


def test_layers_hide_what_older_ones_say() -> None:
    """The tail moves a content to another bank and removes one: the segment's word is gone."""
    rng = random.Random(12)
    signal = random_signal(rng)
    base = Layer(
        BINARY,
        PdqSignal,
        Columns.of(BINARY, [Entry(i, 1, (signal,)) for i in (1, 2, 3)]).files(),
    )
    tail_entries = [Entry(2, 2, (signal,))]
    tail = Layer(BINARY, PdqSignal, Columns.of(BINARY, tail_entries, [3]).files())
    snapshot = Snapshot(
        "pdq",
        1,
        "w",
        0.0,
        31,
        banks=(IndexedBank(1, "ONE", 1.0), IndexedBank(2, "TWO", 1.0)),
        segments=(SegmentRef("s", "binary", 3, 3, {"ids": FileRef(0, "")}),),
        tail=Tail(tuple(tail_entries), (3,)),
    )
    index = LoadedIndex(snapshot, {"s": base}, tail)
    assert [(f.content_id, f.bank.name) for f in index.search([signal])[0]] == [
        (1, "ONE"),
        (2, "TWO"),
    ]
    assert index.size() == 2
