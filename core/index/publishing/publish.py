"""From the catalog to the next snapshot.

Publishing converges: read the marks, find the newest snapshot N, read the *current* state of what
is marked, create N+1 if absent, clear the marks whose version is unchanged. Doing it twice is
harmless, dying anywhere leaves the marks for the next publisher, and of two who race one creates
N+1 and the other starts again from it. State is read after N is known, so N+1 is never older
than what N already said.
"""

import time
from collections.abc import Callable, Sequence

from core.index.entry import BANKS, Mark
from core.index.layers.columns import Columns
from core.index.objects.layout import ROOT, Layout
from core.index.objects.snapshot import SegmentRef, Snapshot, Tail
from core.index.publishing.build import BATCH, valid_entries
from core.index.publishing.collect import Collector
from core.index.publishing.compact import (
    LARGEST,
    LITTLE_BYTES,
    is_crowded,
    replace_run,
    run_to_merge,
)
from core.index.publishing.context import PublishContext
from core.index.publishing.rebuild import Progress, Rebuilder, RebuildSummary, RunTasks
from core.index.publishing.segment_writer import SegmentWriter
from core.index.publishing.snapshot_writer import SnapshotWriter
from core.index.publishing.writers import Writers
from core.index.source import CatalogSource
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.store import ObjectStore

TAIL_BYTES = 256 << 10
"""Metadata is part of the tail, and a snapshot is read at every change: past this, a segment."""


class Publisher:
    """Publishes the indices of one deployment, below one root of its store."""

    def __init__(
        self,
        source: CatalogSource,
        store: ObjectStore,
        signal_types: SignalTypes,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        root: str = ROOT,
    ) -> None:
        self._writers = Writers(source, store, settings)
        self._publishers = {
            name: TypePublisher(
                PublishContext(Layout(name, root), source, store, signal_types, settings, clock),
                self._writers,
            )
            for name in signal_types.enabled()
        }

    def publish(self, signal_type: str) -> int:
        """Bring the index of one type up to the catalog as it is now.

        Returns:
            The number of a snapshot that holds everything committed before the call.

        Raises:
            StoreUnavailable, CatalogUnavailable: some marks are left; calling again goes on.
            SeveralWriters: this store needs a single publisher, and there is another.
        """
        self._writers.check()
        return self._publishers[signal_type].publish()

    def publish_all(self) -> dict[str, int]:
        """What the schedule does: publish every type, merge its segments, collect what is dead.

        Returns:
            The number of the newest snapshot of each type.
        """
        self._writers.check()
        return {name: publisher.keep_up() for name, publisher in self._publishers.items()}

    def rebuild(
        self,
        signal_type: str,
        run: RunTasks | None = None,
        progress: Progress | None = None,
    ) -> RebuildSummary:
        """Publish one type anew from the whole catalog, using no segment there is.

        A rebuild of this catalog that died is gone on with. Publishing need not pause meanwhile.

        Args:
            run: performs the tasks; in this process one by one if it is None.
            progress: is told how many tasks are done, of how many.

        Raises:
            Unavailable: what was done is kept; calling again goes on.
        """
        self._writers.check()
        return self._publishers[signal_type].rebuild(run, progress)


class TypePublisher:
    """Publishes the index of one signal type. Threads of one process take turns."""

    def __init__(self, context: PublishContext, writers: Writers) -> None:
        self._name = context.signal_type
        self._source = context.source
        self._signal_types = context.signal_types
        self._settings = context.settings
        self._clock = context.clock
        self._snapshots = SnapshotWriter(context)
        self._segments = SegmentWriter(context)
        self._rebuilder = Rebuilder(context, writers, self._snapshots, self._segments)
        grace = context.settings.grace_seconds
        self._collector = Collector(context.layout, context.store, grace, context.clock)

    def publish(self) -> int:
        with self._snapshots.turn:
            while True:
                self._snapshots.begin()
                marks = self._source.marks(self._name, BATCH)
                newest = self._snapshots.newest()
                if newest is None:  # a new store, or a lost one: marks would not bring it back
                    self._rebuilder.build_first(marks)
                    continue
                if marks or self._needs_heartbeat(newest):
                    snapshot = self._make_successor(newest, marks)
                else:
                    return newest.number
                if not self._snapshots.create(snapshot):
                    continue  # another publisher was faster: start again from its snapshot
                self._source.clear(self._name, marks)
                if is_crowded(segment.contents for segment in snapshot.segments):
                    self._compact()
                if len(marks) < BATCH:
                    return snapshot.number

    def keep_up(self) -> int:
        self.publish()
        with self._snapshots.turn:
            self._compact()
            self._collector.collect(newest := self._snapshots.existing())
            return newest.number

    def rebuild(self, run: RunTasks | None, progress: Progress | None) -> RebuildSummary:
        done = self._rebuilder.rebuild(run, progress)
        return done.summary(self.publish())

    def _make_successor(self, newest: Snapshot, marks: Sequence[Mark]) -> Snapshot:
        """The successor of `newest`, which also holds what is marked."""
        ids = [mark.content_id for mark in marks if mark.content_id != BANKS]
        entries = valid_entries(
            self._signal_types, self._name, self._source.entries(self._name, ids)
        )
        held = {entry.content_id: entry for entry in entries}
        tail = newest.tail.then(held, frozenset(ids) - held.keys())
        if len(tail) > self._settings.tail_entries or tail.bytes() > TAIL_BYTES:
            return self._snapshots.successor(newest, self._flush_tail(newest, tail), Tail())
        return self._snapshots.successor(newest, newest.segments, tail)

    def _flush_tail(self, newest: Snapshot, tail: Tail) -> tuple[SegmentRef, ...]:
        """Segments and the tail as one more, merged with those it may take along cheaply."""
        settled, free = newest.segments[: newest.settled], newest.segments[newest.settled :]
        columns = self._segments.columns_of(tail)
        sizes = [segment.bytes for segment in free] + [tail.bytes()]
        start, end = run_to_merge(sizes, LITTLE_BYTES)
        if end < len(sizes):
            start = len(free)
        bottom = not settled and start == 0
        return (*settled, *free[:start], *self._write_merged(free[start:], columns, bottom=bottom))

    def _compact(self) -> None:
        """Merge what the tiers ask for, while others publish. Gives way to whoever is faster."""
        while True:
            self._snapshots.begin()
            newest = self._snapshots.existing()
            free = newest.segments[newest.settled :]
            start, end = run_to_merge([segment.contents for segment in free], LARGEST)
            run, bottom = free[start:end], start == newest.settled == 0
            if len(run) < 2 or not self._replace(run, self._write_merged(run, bottom=bottom)):
                return

    def _replace(
        self, run: tuple[SegmentRef, ...], merged: tuple[SegmentRef, ...]
    ) -> Snapshot | None:
        """Create a snapshot with `merged` in place of `run`.

        None if `run` no longer stands free in the newest snapshot, or we slept.
        """
        while not self._snapshots.slept():
            newest = self._snapshots.existing()
            segments = replace_run(newest.segments, run, merged, newest.settled)
            if segments is None:
                return None
            snapshot = self._snapshots.successor(newest, segments, newest.tail)
            if self._snapshots.create(snapshot):
                return snapshot
        return None

    def _write_merged(
        self, run: Sequence[SegmentRef], newer: Columns | None = None, *, bottom: bool
    ) -> tuple[SegmentRef, ...]:
        """`run`, and what is `newer`, as one new segment; as none if nothing is left of it."""
        layers = [self._segments.columns(segment) for segment in run]
        return self._segments.store([*layers, *([newer] if newer else [])], bottom=bottom)

    def _needs_heartbeat(self, newest: Snapshot) -> bool:
        """Whether readers would soon take `newest` for stale: then it is time for a heartbeat."""
        return self._clock() - newest.created_at > self._settings.max_stale_seconds / 3
