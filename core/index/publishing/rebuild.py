"""An index made anew from the whole catalog, while others publish.

A rebuild is announced by a snapshot, which says what segments, the oldest, it will replace. From
then on whatever is published comes above these, so that it stays the last word, however long the
tasks take and whenever they read. One snapshot at the end puts the new segments in their place.
What the tasks are is in `core.index.publishing.build`, and why all this is safe in decision 20.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from core.errors import ObjectMissing, Unavailable
from core.index.entry import Mark
from core.index.objects.snapshot import Rebuild, SegmentRef, Snapshot, Tail
from core.index.publishing.build import (
    BATCH,
    Task,
    TaskResult,
    build,
    marks_before,
    plan,
    read_results,
)
from core.index.publishing.context import PublishContext
from core.index.publishing.segment_writer import SegmentWriter
from core.index.publishing.snapshot_writer import SnapshotWriter
from core.index.publishing.writers import Writers
from core.tasks import one_by_one

REBUILD_SECONDS = 86_400.0
"""Longest time that merging waits for a rebuild, and that one which died can be taken up again."""

RunTasks = Callable[[Sequence[Task]], Iterator[tuple[Task, TaskResult]]]
"""Performs tasks, here or on other machines; yields each with its result, in any order."""

Progress = Callable[[int, int], object]
"""Takes the number of tasks that are done, and the number of all tasks."""


@dataclass(frozen=True)
class RebuildSummary:
    """What came of a rebuild, for whoever asked for it.

    Attributes:
        number: of a snapshot that holds everything committed before the call.
        contents, signals, segments: how many have been made.
        tasks: how many there were.
        kept: of these, done already by a run that died.
    """

    number: int
    contents: int
    signals: int
    segments: int
    tasks: int
    kept: int


@dataclass(frozen=True)
class FinishedTasks:
    """All tasks of a rebuild, once they are done.

    Attributes:
        results: what each has made, by ascending content id.
        kept: how many were done already.
    """

    results: tuple[TaskResult, ...]
    kept: int

    @property
    def segments(self) -> tuple[SegmentRef, ...]:
        return tuple(result.segment for result in self.results if result.segment)

    def summary(self, number: int) -> RebuildSummary:
        """What came of them, once snapshot `number` holds it."""
        segments = self.segments
        return RebuildSummary(
            number,
            sum(segment.contents for segment in segments),
            sum(segment.rows for segment in segments),
            len(segments),
            len(self.results),
            self.kept,
        )


class Rebuilder:
    """Rebuilds the index of one signal type."""

    def __init__(
        self,
        context: PublishContext,
        writers: Writers,
        snapshots: SnapshotWriter,
        segments: SegmentWriter,
    ) -> None:
        self._name = context.signal_type
        self._layout = context.layout
        self._source = context.source
        self._store = context.store
        self._signal_types = context.signal_types
        self._clock = context.clock
        self._writers = writers
        self._snapshots = snapshots
        self._segments = segments
        self._lease = f"rebuild-{context.signal_type}"
        self._rebuilding = threading.Lock()

    def rebuild(
        self, run: RunTasks | None = None, progress: Progress | None = None
    ) -> FinishedTasks:
        """Make all segments anew, or those that a rebuild of this catalog which died has left.

        Args:
            run: performs the tasks; in this process one by one if it is None.
            progress: is told how many tasks are done, of how many.

        Raises:
            Unavailable: what was done is kept; calling again goes on.
        """
        with self._rebuilding:
            with self._snapshots.turn:
                rebuild, below = self._announce()
            done = self._finish_tasks(rebuild, run, progress)
            with self._snapshots.turn:
                snapshot = self._install(rebuild, below, done.segments)
            if snapshot:
                self._clear(done, snapshot)
            self._source.lease(self._lease, rebuild, 0)
        return done

    def build_first(self, marks: Sequence[Mark]) -> None:
        """Make the first snapshot, or go on with that, for a publisher whose turn it is.

        Args:
            marks: the first ones, read before it was seen that there is no snapshot.

        Raises:
            Unavailable: what was done is kept; calling again goes on.
        """
        rebuild = _first_id(marks)
        done = self._finish_tasks(rebuild)
        if snapshot := self._install(rebuild, None, done.segments):
            # Not `marks`: a task that another process had done read the state before them.
            self._clear(done, snapshot)

    def _announce(self) -> tuple[str, int | None]:
        """Announce a rebuild, or take up one that died: its id, and `Rebuild.below`.

        An announcement holds for this catalog alone, which therefore remembers the id too: an
        index that was made from another one, or left behind while this one went on elsewhere, is
        not gone on with.

        Without any snapshot there is nothing to announce it in (`below` is None).
        """
        while True:
            self._snapshots.begin()
            marks = self._source.marks(self._name, 1)
            newest = self._snapshots.newest()
            if newest is None:
                return _first_id(marks), None
            known = self._source.leased_to(self._lease)
            if newest.rebuild and newest.rebuild.id == known:
                return known, newest.rebuild.below
            if known:
                self._source.lease(self._lease, known, 0)
            tail = self._segments.columns_of(newest.tail)
            old = newest.segments + self._segments.store([tail], bottom=not newest.segments)
            rebuild = Rebuild(uuid.uuid4().hex, self._clock() + REBUILD_SECONDS, len(old))
            self._source.lease(self._lease, rebuild.id, REBUILD_SECONDS)
            successor = self._snapshots.successor(newest, old, Tail())
            if self._snapshots.create(replace(successor, rebuild=rebuild)):
                return rebuild.id, rebuild.below

    def _finish_tasks(
        self, rebuild: str, run: RunTasks | None = None, progress: Progress | None = None
    ) -> FinishedTasks:
        """Perform those tasks that are not done already."""
        tell = progress or _ignore_progress
        tasks = plan(self._source, self._layout, rebuild)
        done = read_results(self._store, tasks)
        kept = len(done)
        tell(kept, len(tasks))
        perform = partial(build, self._source, self._store, self._signal_types)
        run_here = partial(one_by_one, perform)
        missing = [task for task in tasks if task not in done]
        for task, result in (run or run_here)(missing) if missing else ():
            done[task] = result
            tell(len(done), len(tasks))
        return FinishedTasks(tuple(done[task] for task in tasks), kept)

    def _install(
        self, rebuild: str, below: int | None, segments: tuple[SegmentRef, ...]
    ) -> Snapshot | None:
        """The snapshot with `segments` in their place; None if another's makes it needless."""
        while True:
            self._writers.check()
            self._snapshots.begin()
            newest = self._snapshots.newest() if below is None else self._snapshots.existing()
            if newest is None:
                snapshot = self._snapshots.successor(None, segments, Tail())
            elif below is None:
                return None  # the first one has been made from the same catalog meanwhile
            elif newest.rebuild and newest.rebuild.id == rebuild:
                above = newest.segments[below:]
                # Nothing there was is used: the list of banks may be what is damaged.
                before = replace(newest, rebuild=None, bank_list=None)
                snapshot = self._snapshots.successor(before, segments + above, newest.tail)
            elif segments and all(segment in newest.segments for segment in segments):
                return None  # who went on with the same rebuild was faster
            else:
                raise Unavailable(
                    "another rebuild began meanwhile, or this one took more than a day: "
                    "nothing was changed, try again"
                )
            if self._snapshots.create(snapshot):
                return snapshot

    def _clear(self, done: FinishedTasks, snapshot: Snapshot) -> None:
        """Forget the marks that the tasks have taken up, and nobody has to publish any more.

        Not those of content that is also named above the rebuilt segments, the oldest of
        `snapshot`: who put it there may have read it before the change that is marked, and hides
        what this rebuild has read.
        """
        published = snapshot.segments[len(done.segments) :]
        above = [self._segments.columns(segment) for segment in published]
        above.append(self._segments.columns_of(snapshot.tail))
        for result in done.results:
            with suppress(ObjectMissing):  # after the grace; they are published as changes, then
                marks = marks_before(self._store, result)
                while batch := list(islice(marks, BATCH)):
                    ids = np.array([mark.content_id for mark in batch], np.int64)
                    hidden = np.any([layer.names(ids) for layer in above], axis=0)
                    kept = [mark for mark, hides in zip(batch, hidden, strict=True) if not hides]
                    self._source.clear(self._name, kept)


def _first_id(marks: Sequence[Mark]) -> str:
    """The name of the build that makes the first snapshot, the same for whoever goes on with it.

    As long as the first mark is there, no mark has been cleared since it was set: so whatever was
    built under its name, changes since then are still marked. A mark that is gone never returns.
    """
    return marks[0].version if marks else uuid.uuid4().hex


def _ignore_progress(_done: int, _all: int) -> None:
    """For callers that do not ask how far the tasks are."""
