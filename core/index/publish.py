"""From the catalog to the next snapshot.

Publishing converges: read the marks, find the newest snapshot N, read the *current* state of what
is marked, create N+1 if absent, clear the marks whose version is unchanged. Doing it twice is
harmless, dying anywhere leaves the marks for the next publisher, and of two who race one creates
N+1 and the other starts again from it. State is read after N is known, so N+1 is never older
than what N already said.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from core.errors import IndexNotReady, ObjectExists, ObjectMissing, Unavailable
from core.index.banks import stored_banks
from core.index.cache import DiskCache
from core.index.collect import Collector
from core.index.compact import LARGEST, LITTLE_BYTES, crowded, replaced, run_to_merge
from core.index.entry import BANKS, Mark, Source
from core.index.layer import Columns
from core.index.rebuild import BATCH, Built, Task, build, marks_before, plan, recorded, valid
from core.index.segment import open_segment, write_segment
from core.index.snapshot import (
    Rebuild,
    SegmentRef,
    Snapshot,
    Tail,
    listed_numbers,
    newest_snapshot,
    read_snapshot,
    snapshot_key,
    write_hint,
)
from core.index.writers import Writers
from core.settings import Settings
from core.signal_types import SignalTypes
from core.store import ObjectStore
from core.tasks import one_by_one

TAIL_BYTES = 256 << 10
"""Metadata is part of the tail, and a snapshot is read at every change: past this, a segment."""

REBUILD_SECONDS = 86_400.0
"""Longest time that merging waits for a rebuild, and that one which died can be taken up again."""

Run = Callable[[Sequence[Task]], Iterator[tuple[Task, Built]]]
"""Does tasks, somewhere."""

Progress = Callable[[int, int], object]
"""Is told how many tasks are done, of how many."""


@dataclass(frozen=True)
class Rebuilt:
    """What came of a rebuild.

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


class Publisher:
    """Publishes the indices of one deployment."""

    def __init__(
        self,
        source: Source,
        store: ObjectStore,
        signal_types: SignalTypes,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._writers = Writers(source, store, settings)
        self._publishers = {
            name: TypePublisher(name, source, store, signal_types, settings, clock, self._writers)
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
        run: Run | None = None,
        progress: Progress | None = None,
    ) -> Rebuilt:
        """Publish one type anew from the whole catalog, using no segment there is.

        A rebuild of this catalog that died is gone on with. Publishing need not pause meanwhile.

        Args:
            run: does the tasks; in this process one by one if it is None.
            progress: is told how many tasks are done, of how many.

        Raises:
            Unavailable: what was done is kept; calling again goes on.
        """
        self._writers.check()
        return self._publishers[signal_type].rebuild(run, progress or _no_progress)


class TypePublisher:
    """Publishes the index of one signal type. Threads of one process take turns."""

    def __init__(
        self,
        signal_type: str,
        source: Source,
        store: ObjectStore,
        signal_types: SignalTypes,
        settings: Settings,
        clock: Callable[[], float],
        writers: Writers,
    ) -> None:
        self._name = signal_type
        self._source = source
        self._store = store
        self._signal_types = signal_types
        self._settings = settings
        self._clock = clock
        self._writers = writers
        self._cache = DiskCache(store, settings.cache_dir)
        self._collector = Collector(signal_type, store, settings.grace_seconds, clock)
        self._turn = threading.Lock()
        self._rebuilding = threading.Lock()
        self._known: Snapshot | None = None
        self._begun_at = 0.0

    def publish(self) -> int:
        with self._turn:
            while True:
                self._begin()
                marks = self._source.marks(self._name, BATCH)
                newest = self._newest()
                if newest is None:  # a new store, or a lost one: marks would not bring it back
                    self._build_first(marks)
                    continue
                if marks or self._silent(newest):
                    snapshot = self._next(newest, marks)
                else:
                    return newest.number
                if not self._create(snapshot):
                    continue  # another publisher was faster: start again from its snapshot
                self._source.clear(self._name, marks)
                if crowded(segment.contents for segment in snapshot.segments):
                    self._compact()
                if len(marks) < BATCH:
                    return snapshot.number

    def keep_up(self) -> int:
        self.publish()
        with self._turn:
            self._compact()
            self._collector.collect(newest := self._existing())
            return newest.number

    def rebuild(self, run: Run | None, progress: Progress) -> Rebuilt:
        with self._rebuilding:
            with self._turn:
                rebuild, below = self._started()
            done, kept = self._done(rebuild, run, progress)
            segments = tuple(built.segment for built in done if built.segment)
            with self._turn:
                snapshot = self._installed(rebuild, below, segments)
            if snapshot:
                self._clear(done, snapshot, len(segments))
            self._source.lease(self._lease, rebuild, 0)
        return Rebuilt(
            self.publish(),
            sum(segment.contents for segment in segments),
            sum(segment.rows for segment in segments),
            len(segments),
            len(done),
            kept,
        )

    def _build_first(self, marks: Sequence[Mark]) -> None:
        rebuild = _first_id(marks)
        done, _ = self._done(rebuild, None, _no_progress)
        segments = tuple(built.segment for built in done if built.segment)
        if snapshot := self._installed(rebuild, None, segments):
            # Not `marks`: a task that another process had done read the state before them.
            self._clear(done, snapshot, len(segments))

    def _started(self) -> tuple[str, int | None]:
        """Announce a rebuild, or take up one that died: its id, and `Rebuild.below`.

        From then on whatever is published comes above the segments that will be replaced, so
        that it stays the last word, however long the tasks take and whenever they read. That
        holds for this catalog alone, which therefore remembers the id too: an index that was
        made from another one, or left behind while this one went on elsewhere, is not gone on
        with.

        Without any snapshot there is nothing to announce it in (`below` is None).
        """
        while True:
            self._begin()
            marks = self._source.marks(self._name, 1)
            newest = self._newest()
            if newest is None:
                return _first_id(marks), None
            known = self._source.leased_to(self._lease)
            if newest.rebuild and newest.rebuild.id == known:
                return known, newest.rebuild.below
            if known:
                self._source.lease(self._lease, known, 0)
            tail = Columns.of(self._kind, newest.tail.held, newest.tail.removed)
            old = newest.segments + self._stored([tail], bottom=not newest.segments)
            rebuild = Rebuild(uuid.uuid4().hex, self._clock() + REBUILD_SECONDS, len(old))
            self._source.lease(self._lease, rebuild.id, REBUILD_SECONDS)
            if self._create(replace(self._successor(newest, old, Tail()), rebuild=rebuild)):
                return rebuild.id, rebuild.below

    def _done(self, rebuild: str, run: Run | None, progress: Progress) -> tuple[list[Built], int]:
        """What the tasks have made, by ascending content id, and how many were done already."""
        tasks = plan(self._source, self._name, rebuild)
        done = recorded(self._store, tasks)
        kept = len(done)
        progress(kept, len(tasks))
        here = partial(one_by_one, partial(build, self._source, self._store, self._signal_types))
        missing = [task for task in tasks if task not in done]
        for task, built in (run or here)(missing) if missing else ():
            done[task] = built
            progress(len(done), len(tasks))
        return [done[task] for task in tasks], kept

    def _installed(
        self, rebuild: str, below: int | None, segments: tuple[SegmentRef, ...]
    ) -> Snapshot | None:
        """The snapshot with `segments` in their place; None if another's makes it needless."""
        while True:
            self._writers.check()
            self._begin()
            newest = self._newest() if below is None else self._existing()
            if newest is None:
                snapshot = self._successor(None, segments, Tail())
            elif below is None:
                return None  # the first one has been made from the same catalog meanwhile
            elif newest.rebuild and newest.rebuild.id == rebuild:
                above = newest.segments[below:]
                # Nothing there was is used: the list of banks may be what is damaged.
                before = replace(newest, rebuild=None, bank_list=None)
                snapshot = self._successor(before, segments + above, newest.tail)
            elif segments and all(segment in newest.segments for segment in segments):
                return None  # who went on with the same rebuild was faster
            else:
                raise Unavailable(
                    "another rebuild began meanwhile, or this one took more than a day: "
                    "nothing was changed, try again"
                )
            if self._create(snapshot):
                return snapshot

    def _clear(self, done: Sequence[Built], snapshot: Snapshot, rebuilt: int) -> None:
        """Forget the marks that the tasks have taken up, and nobody has to publish any more.

        Not those of content that is also named above the first `rebuilt` segments of `snapshot`:
        who put it there may have read it before the change that is marked, and hides ours.
        """
        above = [self._columns(ref) for ref in snapshot.segments[rebuilt:]]
        above.append(Columns.of(self._kind, snapshot.tail.held, snapshot.tail.removed))
        for built in done:
            with suppress(ObjectMissing):  # after the grace; they are published as changes, then
                marks = marks_before(self._store, built)
                while batch := list(islice(marks, BATCH)):
                    ids = np.array([mark.content_id for mark in batch], np.int64)
                    hidden = np.any([layer.names(ids) for layer in above], axis=0)
                    kept = [mark for mark, hides in zip(batch, hidden, strict=True) if not hides]
                    self._source.clear(self._name, kept)

    def _next(self, newest: Snapshot, marks: Sequence[Mark]) -> Snapshot:
        """The successor of `newest`, which also holds what is marked."""
        ids = [mark.content_id for mark in marks if mark.content_id != BANKS]
        entries = valid(self._signal_types, self._name, self._source.entries(self._name, ids))
        held = {entry.content_id: entry for entry in entries}
        tail = newest.tail.then(held, frozenset(ids) - held.keys())
        if len(tail) > self._settings.tail_entries or tail.bytes() > TAIL_BYTES:
            return self._successor(newest, self._flushed(newest, tail), Tail())
        return self._successor(newest, newest.segments, tail)

    def _flushed(self, newest: Snapshot, tail: Tail) -> tuple[SegmentRef, ...]:
        """Segments and the tail as one more, merged with those it may take along cheaply."""
        settled, free = newest.segments[: newest.settled], newest.segments[newest.settled :]
        columns = Columns.of(self._kind, tail.held, tail.removed)
        sizes = [segment.bytes for segment in free] + [tail.bytes()]
        start, end = run_to_merge(sizes, LITTLE_BYTES)
        if end < len(sizes):
            start = len(free)
        bottom = not settled and start == 0
        return (*settled, *free[:start], *self._written(free[start:], columns, bottom=bottom))

    def _compact(self) -> None:
        """Merge what the tiers ask for, while others publish. Gives way to whoever is faster."""
        while True:
            self._begin()
            newest = self._existing()
            free = newest.segments[newest.settled :]
            start, end = run_to_merge([segment.contents for segment in free], LARGEST)
            run, bottom = free[start:end], start == newest.settled == 0
            if len(run) < 2 or not self._replace(run, self._written(run, bottom=bottom)):
                return

    def _replace(self, run: tuple[SegmentRef, ...], by: tuple[SegmentRef, ...]) -> Snapshot | None:
        """Create a snapshot with `by` in place of `run`.

        None if `run` no longer stands free in the newest snapshot, or we slept.
        """
        while not self._slept():
            newest = self._existing()
            segments = replaced(newest.segments, run, by, newest.settled)
            if segments is None:
                return None
            snapshot = self._successor(newest, segments, newest.tail)
            if self._create(snapshot):
                return snapshot
        return None

    def _written(
        self, run: Sequence[SegmentRef], newer: Columns | None = None, *, bottom: bool
    ) -> tuple[SegmentRef, ...]:
        """`run`, and what is `newer`, as one new segment; as none if nothing is left of it."""
        layers = [self._columns(ref) for ref in run]
        return self._stored([*layers, *([newer] if newer else [])], bottom=bottom)

    def _columns(self, segment: SegmentRef) -> Columns:
        type_class = self._signal_types.get(self._name)
        return open_segment(self._cache, self._name, type_class, segment).columns

    def _stored(self, layers: Sequence[Columns], *, bottom: bool) -> tuple[SegmentRef, ...]:
        columns = Columns.merged(layers, at_bottom=bottom)
        if not columns.size:
            return ()
        return (write_segment(self._store, self._name, self._kind, columns),)

    @property
    def _kind(self) -> str:
        return self._signal_types.kind(self._name)

    @property
    def _lease(self) -> str:
        return f"rebuild-{self._name}"

    def _successor(
        self, newest: Snapshot | None, segments: tuple[SegmentRef, ...], tail: Tail
    ) -> Snapshot:
        earlier = newest.bank_list if newest else None
        banks, bank_list = stored_banks(self._store, self._name, self._source.banks(), earlier)
        return Snapshot(
            signal_type=self._name,
            number=newest.number + 1 if newest else 1,
            writer=uuid.uuid4().hex,
            created_at=self._clock(),
            threshold=self._signal_types.threshold(self._name),
            banks=banks,
            bank_list=bank_list,
            segments=segments,
            tail=tail,
            enabled_ratio=self._source.enabled_ratio(self._name),
            rebuild=newest.rebuild if newest else None,
        )

    def _create(self, snapshot: Snapshot) -> bool:
        """Whether `snapshot` is now the one with its number. False: begin again.

        Numbers and segments past the grace may be collected, and a number must not be used
        twice. So a publisher that slept (a frozen function, a stopped process) since it began
        does not create; and one that slept while it did makes sure that it has done no harm.
        """
        if self._slept():
            return False
        try:
            self._store.create(snapshot_key(self._name, snapshot.number), snapshot.to_bytes())
        except ObjectExists:  # perhaps by ourselves: a retry after a time-out looks like this
            there = read_snapshot(self._store, self._name, snapshot.number)
            if there is None or there.writer != snapshot.writer:
                return False
        if self._slept():
            self._take_back(snapshot)
            return False
        self._known = snapshot
        write_hint(self._store, self._name, snapshot.number)
        return True

    def _take_back(self, snapshot: Snapshot) -> None:
        """Delete what we have just created if it is a fork, or names what is gone.

        Others may have gone on to numbers far ahead and collected those between: then nothing
        follows ours. If nothing newer is there at all, ours is the newest and stays, unless a
        segment of it was collected while no snapshot named it; then nobody can have read it.
        """
        numbers = listed_numbers(self._store, self._name)
        if max(numbers, default=0) > snapshot.number:
            harmful = snapshot.number + 1 not in numbers
        else:
            there = self._collector.stored_segments()
            harmful = not snapshot.named() <= there.keys()
        if harmful:
            self._store.delete(snapshot_key(self._name, snapshot.number))

    def _begin(self) -> None:
        self._begun_at = self._clock()

    def _slept(self) -> bool:
        return self._clock() - self._begun_at > self._settings.grace_seconds / 2

    def _newest(self) -> Snapshot | None:
        """The newest snapshot. What we knew is a start only while its number cannot be reused."""
        known = self._known
        if known and self._clock() - known.created_at > self._settings.max_stale_seconds:
            known = None
        newest = newest_snapshot(self._store, self._name, known)
        if newest and newest.rebuild and newest.rebuild.until < self._clock():
            newest = replace(newest, rebuild=None)  # it died, and merging goes on without it
        self._known = newest
        return newest

    def _existing(self) -> Snapshot:
        newest = self._newest()
        if newest is None:
            raise IndexNotReady(f"all snapshots of {self._name} have vanished from the store")
        return newest

    def _silent(self, newest: Snapshot) -> bool:
        """Whether readers would soon take `newest` for stale: then it is time for a heartbeat."""
        return self._clock() - newest.created_at > self._settings.max_stale_seconds / 3


def _first_id(marks: Sequence[Mark]) -> str:
    """The name of the build that makes the first snapshot, the same for whoever goes on with it.

    As long as the first mark is there, no mark has been cleared since it was set: so whatever was
    built under its name, changes since then are still marked. A mark that is gone never returns.
    """
    return marks[0].version if marks else uuid.uuid4().hex


def _no_progress(_done: int, _all: int) -> None:
    """Nobody is told."""
