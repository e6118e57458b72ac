"""What nobody can need is deleted, what anybody can need stays, and no number is used twice."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.index.objects.layout import Layout
from core.index.objects.segment import list_segments
from core.index.objects.snapshot import SegmentRef, list_numbers
from core.index.publishing.collect import Collector
from core.index.publishing.compact import replace_run, run_to_merge
from core.index.publishing.publish import Publisher
from core.index.reading.read import Index
from core.store import ObjectStore
from tests.deployment import Deployment, TurnedClock, random_signal, settings_for
from tests.published import catalog_entries, published_entries

GRACE = 3600.0


def test_compaction_keeps_segments_few_and_collection_deletes_the_rest(tmp_path: Path) -> None:
    """Hundreds of changes leave a handful of segments, no dead file and few snapshots."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=2), clock)
    rng = random.Random(1)
    for at in range(120):
        content_id = deployment.add(random_signal(rng))
        if at % 3 == 0:
            deployment.catalog.contents.delete("KNOWN", content_id)
        deployment.publisher.publish("pdq")
        clock.now += 60
        if at % 10 == 0:
            deployment.publisher.publish_all()
    for _ in range(3):
        clock.now += GRACE
        deployment.publisher.publish_all()
    named = {segment.id for segment in deployment.newest().segments}
    assert list_segments(deployment.store, Layout("pdq")).keys() == named
    assert len(named) <= 4
    numbers = list_numbers(deployment.store, Layout("pdq"))
    assert numbers == list(range(numbers[0], deployment.newest().number + 1))
    assert len(numbers) <= 3
    assert published_entries(deployment) == catalog_entries(deployment)


def test_a_segment_that_no_snapshot_names_yet_is_not_collected(tmp_path: Path) -> None:
    """A publisher between writing a segment and naming it has the whole grace to do so."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path), clock)
    deployment.publisher.publish("pdq")
    deployment.store.put("index/pdq/segments/new/ids", b"")
    collector = Collector(Layout("pdq"), deployment.store, GRACE, clock)
    clock.now += 10 * GRACE
    for _ in range(2):
        collector.collect(deployment.newest())
        assert "new" in list_segments(deployment.store, Layout("pdq"))
        clock.now += GRACE / 2
    clock.now += GRACE
    collector.collect(deployment.newest())
    assert "new" not in list_segments(deployment.store, Layout("pdq"))


class Sleeping:
    """A store whose client sleeps at a chosen moment of creating a snapshot."""

    def __init__(self, store: ObjectStore, sleep: Callable[[], None], *, after: bool) -> None:
        self._store = store
        self._sleep: Callable[[], None] | None = sleep
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes) -> None:
        sleep = self._sleep if "/snapshots/" in key else None
        if sleep and not self._after:
            self._sleep = None
            sleep()
        self._store.create(key, data)
        if sleep and self._after:
            self._sleep = None
            sleep()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("others", [0, 1, 5], ids=lambda n: f"{n} others")
@pytest.mark.parametrize("tail_entries", [1, 50], ids=["segment", "tail"])
def test_a_publisher_that_slept_past_the_grace_forks_nothing(
    tmp_path: Path, after: bool, others: int, tail_entries: int
) -> None:
    """While it slept others went on and collected its place; what it published is not lost."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=tail_entries), clock)
    rng = random.Random(2)
    deployment.add(random_signal(rng))
    deployment.publisher.publish("pdq")

    def sleep() -> None:
        for _ in range(others):
            clock.now += GRACE / 2 + 1
            deployment.add(random_signal(rng))
            deployment.publisher.publish_all()
        clock.now += 2 * GRACE
        Collector(Layout("pdq"), deployment.store, GRACE, clock).collect(deployment.newest())
        clock.now += 2 * GRACE
        Collector(Layout("pdq"), deployment.store, GRACE, clock).collect(deployment.newest())

    sleeper = Publisher(
        deployment.catalog.source,
        Sleeping(deployment.store, sleep, after=after),
        deployment.signal_types,
        deployment.settings,
        clock,
    )
    for _ in range(3):
        deployment.add(random_signal(rng))
    number = sleeper.publish("pdq")
    assert number == deployment.newest().number
    numbers = list_numbers(deployment.store, Layout("pdq"))
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert published_entries(deployment) == catalog_entries(deployment)
    assert not deployment.catalog.marks.pending("pdq", 1)


def test_a_reader_that_slept_past_the_grace_goes_to_the_newest(tmp_path: Path) -> None:
    """Its number is long collected; it does not take 'N+1 is not there' for 'N is current'."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=2), clock)
    deployment.publisher.publish("pdq")
    reader = Index(deployment.store, deployment.signal_types, deployment.settings, clock)
    assert reader.get("pdq").search(["0" * 64])[0] == []
    ids = []
    for _ in range(6):
        ids.append(deployment.add("0" * 64))
        clock.now += GRACE
        deployment.publisher.publish_all()
    assert list_numbers(deployment.store, Layout("pdq"))[0] > 2
    assert [found.content_id for found in reader.get("pdq").search(["0" * 64])[0]] == ids


def test_merging_gives_way_to_another_compactor() -> None:
    """A run that is no longer there, whole and in order, is not replace_run."""
    a, b, c, d = (SegmentRef(name, "binary", 1, 1, {}) for name in "abcd")
    assert replace_run((a, b, c), (b, c), (d,)) == (a, d)
    assert replace_run((a, b, c), (a, b), (d,)) == (d, c)
    assert replace_run((a, b, c), (), (d,)) == (d, a, b, c)
    assert replace_run((a, d), (b, c), (d,)) is None
    assert replace_run((a, c, b), (b, c), (d,)) is None


def test_merging_leaves_alone_what_a_rebuild_will_replace() -> None:
    """A merge that had begun before the rebuild was announced comes to nothing."""
    a, b, c, d = (SegmentRef(name, "binary", 1, 1, {}) for name in "abcd")
    assert replace_run((a, b, c), (b, c), (d,), settled=1) == (a, d)
    assert replace_run((a, b, c), (b, c), (d,), settled=2) is None
    assert replace_run((a, b, c), (a, b), (d,), settled=1) is None


@pytest.mark.parametrize(
    ("sizes", "run"),
    [
        ([], (0, 0)),
        ([5], (0, 0)),
        ([100, 5], (0, 0)),
        ([20, 5], (0, 2)),
        ([1000, 20, 5], (1, 3)),
        ([100, 20, 5], (0, 3)),
        ([900, 900, 5], (0, 0)),
        ([90, 90, 5], (0, 2)),
    ],
)
def test_the_run_to_merge_follows_the_tiers(sizes: list[int], run: tuple[int, int]) -> None:
    """Neighbours of like size are merged, as long as the result is not too large."""
    assert run_to_merge(sizes, most=1000) == run
