"""An index made anew is the same whoever makes it, and loses nothing that happens meanwhile."""

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from core.errors import Misconfigured, Unavailable
from core.index.objects.layout import Layout
from core.index.objects.segment import list_segments
from core.index.objects.snapshot import FileRef, list_numbers
from core.index.publishing import build
from core.index.publishing.build import Task, TaskResult, plan, read_results
from core.jobs.worker import build_anywhere
from core.settings import Settings
from core.tasks import Runner, on_dask, on_processes, one_by_one
from tests.deployment import Deployment, TurnedClock, random_signal, settings_for
from tests.published import catalog_entries, published_entries

SMALL = 20
"""Ids in a range, so that a few dozen contents make several tasks."""


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made in this process alone, so no other needs to know."""
    monkeypatch.setattr(build, "RANGE", SMALL)


@pytest.fixture
def deployment(tmp_path: Path, small_ranges: None) -> Deployment:
    return Deployment(settings_for(tmp_path, tail_entries=3))


def fill(deployment: Deployment, count: int = 60, seed: int = 1) -> list[int]:
    """Contents of every shape: notes, metadata, labels, disabled ones, holes among the ids."""
    rng = random.Random(seed)
    ids = []
    for at in range(count):
        extra: dict[str, Any] = {
            "note": f"n{at}",
            "metadata": {"json": {"at": at}},
            "labels": ["b", "a"],
        }
        ids.append(deployment.add(random_signal(rng), **(extra if at % 3 == 0 else {})))
        deployment.add(rng.randbytes(16).hex(), signal_type="video_md5")
        if at % 7 == 0:
            deployment.catalog.contents.delete("KNOWN", ids.pop())
        elif at % 7 == 1:
            deployment.catalog.contents.update("KNOWN", ids[-1], disable_until_ts=0)
    return ids


def files_of(deployment: Deployment, signal_type: str) -> list[dict[str, FileRef]]:
    """Length and SHA-256 of every file of every segment."""
    return [dict(segment.files) for segment in deployment.newest(signal_type).segments]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A scheduler and two workers in processes of their own."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


def test_every_way_of_running_makes_the_same_files(
    deployment: Deployment, cluster: LocalCluster
) -> None:
    """In this process, on two others, on Dask: bit for bit, over a new index and an older one."""
    fill(deployment)
    dask = on_dask(cluster.scheduler_address)
    ways = {"pdq": [one_by_one, on_processes(2), dask, one_by_one], "video_md5": [dask, one_by_one]}
    for signal_type, chosen in ways.items():
        made = []
        for way in chosen:
            run = partial(way, partial(build_anywhere, deployment.settings))
            rebuilt = deployment.publisher.rebuild(signal_type, run)
            assert (rebuilt.tasks, rebuilt.kept) == (rebuilt.segments, 0)
            assert published_entries(deployment, signal_type=signal_type) == catalog_entries(
                deployment, signal_type
            )
            made.append(files_of(deployment, signal_type))
        assert len(made[0]) > 5
        assert made == [made[0]] * len(made)


def test_a_task_that_is_done_twice_makes_one_object(deployment: Deployment) -> None:
    """Two who do the same task write the same segment, and one record of it."""
    fill(deployment)
    task = plan(deployment.catalog.source, Layout("pdq"), "0" * 32)[1]
    first = build_anywhere(deployment.settings, task)
    before = {info.key for info in deployment.store.list("index/pdq/segments/")}
    assert build_anywhere(deployment.settings, task) == first
    assert {info.key for info in deployment.store.list("index/pdq/segments/")} == before
    assert read_results(deployment.store, [task]) == {task: first}


def test_of_two_states_that_a_task_saw_one_is_recorded(deployment: Deployment) -> None:
    """A task that is done again after a change gives what it gave: the change is still marked."""
    ids = fill(deployment)
    task = plan(deployment.catalog.source, Layout("pdq"), "0" * 32)[0]
    first = build_anywhere(deployment.settings, task)
    deployment.catalog.contents.update("KNOWN", ids[0], note="changed")
    assert build_anywhere(deployment.settings, task) == first


def test_changes_during_a_rebuild_are_in_the_answer(deployment: Deployment) -> None:
    """Whatever is added, removed, changed, published and merged between and around the tasks."""
    rng = random.Random(5)
    ids = fill(deployment)
    deployment.publisher.publish_all()

    def change() -> None:
        for _ in range(rng.randrange(4)):
            roll = rng.random()
            if roll < 0.3 or len(ids) < 10:
                ids.append(deployment.add(random_signal(rng)))
            elif roll < 0.6:
                deployment.catalog.contents.delete("KNOWN", ids.pop(rng.randrange(len(ids))))
            else:
                # Back and forth, so that what is published again looks as it did before.
                until = rng.choice([0, 1])
                deployment.catalog.contents.update("KNOWN", rng.choice(ids), disable_until_ts=until)
            if rng.random() < 0.5:
                deployment.publisher.publish("pdq")
        if rng.random() < 0.3:
            deployment.publisher.publish_all()

    def run(tasks: Sequence[Task]) -> Iterator[tuple[Task, TaskResult]]:
        for task in rng.sample(tasks, len(tasks)):
            change()
            yield task, build_anywhere(deployment.settings, task)
            change()

    for _ in range(5):
        before = newest_number(deployment)
        rebuilt = deployment.publisher.rebuild("pdq", run)
        assert published_entries(deployment) == catalog_entries(deployment)
        assert rebuilt.number == newest_number(deployment) > before
        assert not deployment.catalog.marks.pending("pdq", 1)
        assert deployment.newest().rebuild is None


def newest_number(deployment: Deployment) -> int:
    return deployment.newest().number


class DiedError(Exception):
    """Stands for a death between two tasks; real ones are killed in tests/system."""


def dying(deployment: Deployment, left: int) -> Callable[..., Iterator[tuple[Task, TaskResult]]]:
    """Does so many tasks and no more."""

    def run(tasks: Sequence[Task]) -> Iterator[tuple[Task, TaskResult]]:
        for task in tasks[:left]:
            yield task, build_anywhere(deployment.settings, task)
        raise DiedError

    return run


def test_a_rebuild_that_died_is_gone_on_with(deployment: Deployment) -> None:
    """What it made is used, what has changed since is right, and readers never see a half."""
    ids = fill(deployment)
    deployment.publisher.publish("pdq")
    with pytest.raises(DiedError):
        deployment.publisher.rebuild("pdq", dying(deployment, 3))
    deployment.catalog.contents.delete("KNOWN", ids[0])
    deployment.catalog.contents.update("KNOWN", ids[1], note="since")
    deployment.publisher.publish_all()
    assert published_entries(deployment) == catalog_entries(deployment)
    rebuilt = deployment.publisher.rebuild("pdq")
    assert (rebuilt.kept, rebuilt.segments) == (3, rebuilt.tasks)
    assert published_entries(deployment) == catalog_entries(deployment)
    assert deployment.publisher.rebuild("pdq").kept == 0


def test_what_another_catalog_left_in_the_store_is_not_gone_on_with(
    deployment: Deployment, tmp_path: Path
) -> None:
    """A rebuild of one catalog died; another, put in its place, is read from its beginning."""
    fill(deployment)
    deployment.publisher.publish("pdq")
    with pytest.raises(DiedError):
        deployment.publisher.rebuild("pdq", dying(deployment, 3))
    url = f"sqlite:///{tmp_path / 'another.db'}"
    another = Deployment(settings_for(tmp_path, tail_entries=3, database_url=url))
    fill(another, seed=2)
    assert another.publisher.rebuild("pdq").kept == 0
    assert published_entries(another) == catalog_entries(another)


def test_a_first_index_that_died_is_gone_on_with(deployment: Deployment) -> None:
    """Without any snapshot: none is made before all is there, and then nothing is left to do."""
    ids = fill(deployment)
    with pytest.raises(DiedError):
        deployment.publisher.rebuild("pdq", dying(deployment, 3))
    assert list_numbers(deployment.store, Layout("pdq")) == []
    deployment.catalog.contents.update("KNOWN", ids[0], note="since")
    tasks = plan(
        deployment.catalog.source,
        Layout("pdq"),
        deployment.catalog.marks.pending("pdq", 1)[0].version,
    )
    assert len(read_results(deployment.store, tasks)) == 3
    deployment.publisher.publish("pdq")
    assert len(deployment.newest().segments) == len(tasks)
    assert published_entries(deployment) == catalog_entries(deployment)
    assert not deployment.catalog.marks.pending("pdq", 1)
    # What was marked when it was read was not published once more, but for the change since.
    assert deployment.newest().number == 2
    assert [entry.content_id for entry in deployment.newest().tail.held] == [ids[0]]


def test_a_rebuild_reads_no_old_segment(deployment: Deployment) -> None:
    """Old files are gone and the cache is empty, as when a bucket was damaged."""
    fill(deployment)
    deployment.publisher.publish("pdq")
    for segment in deployment.newest().segments:
        for name in segment.files:
            deployment.store.delete(Layout("pdq").segment_file(segment.id, name))
    shutil.rmtree(deployment.settings.cache_dir, ignore_errors=True)
    deployment.publisher.rebuild("pdq")
    assert published_entries(deployment) == catalog_entries(deployment)


def test_what_a_rebuild_made_is_kept_while_it_is_under_way_and_collected_after(
    tmp_path: Path, small_ranges: None
) -> None:
    """It outlives the grace many times over; a day after it died, it goes like anything dead."""
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=3), clock)
    fill(deployment)
    deployment.publisher.publish_all()
    with pytest.raises(DiedError):
        deployment.publisher.rebuild("pdq", dying(deployment, 3))
    announced = deployment.newest().rebuild
    assert announced

    def made() -> set[str]:
        return {
            id_
            for id_ in list_segments(deployment.store, Layout("pdq"))
            if id_.startswith(announced.id)
        }

    there = made()
    assert len(there) == 4  # three segments, and the folder of records
    while clock.now < announced.until - 6 * 3600:
        clock.now += 6 * deployment.settings.grace_seconds
        deployment.publisher.publish_all()
    assert made() == there
    assert len(deployment.newest().segments) >= announced.below  # nobody has merged them
    clock.now = announced.until
    for _ in range(3):
        clock.now += 2 * deployment.settings.grace_seconds
        deployment.publisher.publish_all()
    assert made() == set()
    assert deployment.newest().rebuild is None
    named = {segment.id for segment in deployment.newest().segments}
    assert list_segments(deployment.store, Layout("pdq")).keys() == named
    assert published_entries(deployment) == catalog_entries(deployment)


def test_a_rebuild_that_was_overtaken_changes_nothing(deployment: Deployment) -> None:
    """Another rebuild began meanwhile, of another catalog say: the older one does not end."""
    fill(deployment)
    deployment.publisher.publish("pdq")

    def run(tasks: Sequence[Task]) -> Iterator[tuple[Task, TaskResult]]:
        yield from one_by_one(partial(build_anywhere, deployment.settings), tasks)
        lease = deployment.catalog.leases.holder("rebuild-pdq")
        assert lease
        deployment.catalog.leases.take("rebuild-pdq", lease, 0)
        Deployment(deployment.settings).publisher.rebuild("pdq")

    with pytest.raises(Unavailable, match="another rebuild"):
        deployment.publisher.rebuild("pdq", run)
    assert published_entries(deployment) == catalog_entries(deployment)


def test_two_who_rebuild_at_once_both_end(deployment: Deployment) -> None:
    """They do the same tasks; one publishes, and the other finds that it was done."""
    fill(deployment)
    deployment.publisher.publish("pdq")

    def run(tasks: Sequence[Task]) -> Iterator[tuple[Task, TaskResult]]:
        yield from one_by_one(partial(build_anywhere, deployment.settings), tasks)
        second = Deployment(deployment.settings).publisher.rebuild("pdq")
        assert second.kept == second.tasks

    deployment.publisher.rebuild("pdq", run)
    assert published_entries(deployment) == catalog_entries(deployment)
    assert not deployment.catalog.marks.pending("pdq", 1)


@pytest.mark.parametrize(
    ("way", "why"),
    [(on_processes(2), "worker process died"), (on_dask("tcp://127.0.0.1:1"), "Dask cluster")],
    ids=["processes", "dask"],
)
def test_workers_that_are_lost_are_told_of(way: Runner, why: str) -> None:
    """A worker dies, or there is none: an error that says what to do, and no silence."""
    with pytest.raises(Unavailable, match=why):
        list(way(os._exit, [1]))


def test_an_error_of_a_task_comes_back_as_it_is(cluster: LocalCluster) -> None:
    """What a task raises names its reason wherever it ran."""
    for way in (one_by_one, on_processes(1), on_dask(cluster.scheduler_address)):
        with pytest.raises(Misconfigured, match="HMA_DATABASE_URL"):
            list(way(partial(build_anywhere, Settings()), [Task(Layout("pdq"), "0" * 32, 0, 9)]))
