"""From the catalog to the next snapshot.

Publishing converges: read the marks, find the newest snapshot N, read the *current* state of what
is marked, create N+1 if absent, clear the marks whose version is unchanged. Doing it twice is
harmless, dying anywhere leaves the marks for the next publisher, and of two who race one creates
N+1 and the other starts again from it. State is read after N is known, so N+1 is never older
than what N already said.
"""

import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from core.errors import BadInput, IndexNotReady, ObjectExists, Unavailable
from core.index.cache import DiskCache
from core.index.collect import Collector
from core.index.compact import LARGEST, LITTLE, replaced, run_to_merge
from core.index.entry import BANKS, Entry, Mark, Source
from core.index.layer import Columns
from core.index.segment import open_segment, write_segment
from core.index.snapshot import (
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

BATCH = 50_000
"""Marks taken up by one snapshot, and contents read at once: bounds memory when millions change."""

TAIL_BYTES = 256 << 10
"""Metadata is part of the tail, and a snapshot is read at every change: past this, a segment."""

_log = logging.getLogger(__name__)


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
            name: TypePublisher(name, source, store, signal_types, settings, clock)
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

    def rebuild(self, signal_type: str) -> int:
        """Publish one type anew from the whole catalog, using no segment there is; its number."""
        self._writers.check()
        return self._publishers[signal_type].rebuild()


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
    ) -> None:
        self._name = signal_type
        self._source = source
        self._store = store
        self._signal_types = signal_types
        self._settings = settings
        self._clock = clock
        self._cache = DiskCache(store, settings.cache_dir)
        self._collector = Collector(signal_type, store, settings.grace_seconds, clock)
        self._turn = threading.Lock()
        self._known: Snapshot | None = None
        self._begun_at = 0.0

    def publish(self) -> int:
        with self._turn:
            while True:
                self._begin()
                marks = self._source.marks(self._name, BATCH)
                newest = self._newest()
                if newest is None:  # a new store, or a lost one: marks would not bring it back
                    snapshot = self._successor(None, self._rebuilt(), Tail())
                elif marks or self._silent(newest):
                    snapshot = self._next(newest, marks)
                else:
                    return newest.number
                if not self._create(snapshot):
                    continue  # another publisher was faster: start again from its snapshot
                self._source.clear(self._name, marks)
                if len(marks) < BATCH:
                    return snapshot.number

    def keep_up(self) -> int:
        self.publish()
        with self._turn:
            self._compact()
            self._collector.collect(newest := self._existing())
            return newest.number

    def rebuild(self) -> int:
        self.publish()
        with self._turn:
            self._begin()
            before = self._existing()
            snapshot = self._replace(before.segments, self._rebuilt(), before.tail)
            if snapshot is None:
                raise Unavailable(
                    "the index was merged by another publisher meanwhile, or the rebuild took "
                    "more than half of HMA_GRACE_SECONDS: nothing was changed, try again"
                )
            return snapshot.number

    def _next(self, newest: Snapshot, marks: Sequence[Mark]) -> Snapshot:
        """The successor of `newest`, which also holds what is marked."""
        ids = [mark.content_id for mark in marks if mark.content_id != BANKS]
        held = {e.content_id: e for e in self._valid(self._source.entries(self._name, ids))}
        tail = newest.tail.then(held, frozenset(ids) - held.keys())
        if len(tail) > self._settings.tail_entries or tail.bytes() > TAIL_BYTES:
            return self._successor(newest, self._flushed(newest.segments, tail), Tail())
        return self._successor(newest, newest.segments, tail)

    def _flushed(self, segments: tuple[SegmentRef, ...], tail: Tail) -> tuple[SegmentRef, ...]:
        """`segments` and the tail as one more, merged with those it may take along cheaply."""
        columns = Columns.of(self._kind, tail.held, tail.removed)
        sizes = [segment.contents for segment in segments] + [columns.size]
        start, end = run_to_merge(sizes, LITTLE)
        if end < len(sizes):
            start = len(segments)
        return (*segments[:start], *self._written(segments[start:], columns, bottom=start == 0))

    def _compact(self) -> None:
        """Merge what the tiers ask for, while others publish. Gives way to whoever is faster."""
        while True:
            self._begin()
            segments = self._existing().segments
            start, end = run_to_merge([segment.contents for segment in segments], LARGEST)
            run = segments[start:end]
            if len(run) < 2 or not self._replace(run, self._written(run, bottom=start == 0)):
                return

    def _replace(
        self,
        run: tuple[SegmentRef, ...],
        by: tuple[SegmentRef, ...],
        without: Tail | None = None,
    ) -> Snapshot | None:
        """Create a snapshot with `by` in place of `run`, and of the tail what is not `without`.

        None if `run` no longer stands in the newest snapshot, or we slept.
        """
        while not self._slept():
            newest = self._existing()
            segments = replaced(newest.segments, run, by)
            if segments is None:
                return None
            tail = newest.tail.apart_from(without) if without else newest.tail
            snapshot = self._successor(newest, segments, tail)
            if self._create(snapshot):
                return snapshot
        return None

    def _written(
        self, run: Sequence[SegmentRef], newer: Columns | None = None, *, bottom: bool
    ) -> tuple[SegmentRef, ...]:
        """`run`, and what is `newer`, as one new segment; as none if nothing is left of it."""
        type_class = self._signal_types.get(self._name)
        layers = [open_segment(self._cache, self._name, type_class, ref).columns for ref in run]
        return self._stored([*layers, *([newer] if newer else [])], bottom=bottom)

    def _stored(self, layers: Sequence[Columns], *, bottom: bool) -> tuple[SegmentRef, ...]:
        columns = Columns.merged(layers, at_bottom=bottom)
        if not columns.size:
            return ()
        return (write_segment(self._store, self._name, self._kind, columns),)

    def _rebuilt(self) -> tuple[SegmentRef, ...]:
        """The whole catalog as segments, read in bounded memory but for the columns themselves."""
        entries = self._valid(self._source.all_entries(self._name))
        segments: tuple[SegmentRef, ...] = ()
        chunks: list[Columns] = []
        while (chunk := Columns.of(self._kind, itertools.islice(entries, BATCH))).size:
            chunks.append(chunk)
            if sum(one.size for one in chunks) + BATCH > LARGEST:
                segments += self._stored(chunks, bottom=True)
                chunks = []
        return segments + self._stored(chunks, bottom=True) if chunks else segments

    @property
    def _kind(self) -> str:
        return self._signal_types.kind(self._name)

    def _successor(
        self, newest: Snapshot | None, segments: tuple[SegmentRef, ...], tail: Tail
    ) -> Snapshot:
        return Snapshot(
            signal_type=self._name,
            number=newest.number + 1 if newest else 1,
            writer=uuid.uuid4().hex,
            created_at=self._clock(),
            threshold=self._signal_types.threshold(self._name),
            banks=tuple(self._source.banks()),
            segments=segments,
            tail=tail,
            enabled_ratio=self._source.enabled_ratio(self._name),
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
            harmful = any(segment.id not in there for segment in snapshot.segments)
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
        self._known = newest_snapshot(self._store, self._name, known)
        return self._known

    def _existing(self) -> Snapshot:
        newest = self._newest()
        if newest is None:
            raise IndexNotReady(f"all snapshots of {self._name} have vanished from the store")
        return newest

    def _silent(self, newest: Snapshot) -> bool:
        """Whether readers would soon take `newest` for stale: then it is time for a heartbeat."""
        return self._clock() - newest.created_at > self._settings.max_stale_seconds / 3

    def _valid(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """`entries` without malformed signals: one of them would break the index of all."""
        for entry in entries:
            signals = tuple(signal for signal in entry.signals if self._is_valid(signal))
            if signals:
                yield entry if signals == entry.signals else replace(entry, signals=signals)
            else:
                _log.warning("content %s has no valid %s signal", entry.content_id, self._name)

    def _is_valid(self, signal: str) -> bool:
        try:
            return self._signal_types.validate(self._name, signal) == signal
        except BadInput:
            return False
