"""From the catalog to the next snapshot.

Publishing converges: read the marks, find the newest snapshot N, read the *current* state of what
is marked, create N+1 if absent, clear the marks whose version is unchanged. Doing it twice is
harmless, dying anywhere leaves the marks for the next publisher, and of two who race one creates
N+1 and the other starts again from it. State is read after N is known, so N+1 is never older
than what N already said.
"""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from core.errors import BadInput, ObjectExists, SeveralWriters
from core.index.cache import DiskCache
from core.index.compact import MERGE_CONTENTS, Segments
from core.index.entry import BANKS, Entry, Mark, Source
from core.index.snapshot import (
    SegmentRef,
    Snapshot,
    Tail,
    newest_snapshot,
    read_snapshot,
    snapshot_key,
    write_hint,
)
from core.settings import Settings
from core.signal_types import SignalTypes
from core.store import ObjectStore, honours_create

BATCH = 20_000
"""Marks taken up by one snapshot: bounds memory when a million contents change at once."""

TAIL_BYTES = 256 << 10
"""Metadata is part of the tail, and a snapshot is read at every change: past this, a segment."""

LEASE_SECONDS = 60.0


class Publisher:
    """Publishes the indices of one deployment. Threads of one process take turns per type."""

    def __init__(
        self,
        source: Source,
        store: ObjectStore,
        signal_types: SignalTypes,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._store = store
        self._signal_types = signal_types
        self._settings = settings
        self._clock = clock
        self._writer = uuid.uuid4().hex
        self._turns = {name: threading.Lock() for name in signal_types.enabled()}
        self._segments = {
            name: Segments(store, DiskCache(store, settings.cache_dir), signal_types, name)
            for name in signal_types.enabled()
        }
        self._known: dict[str, Snapshot] = {}
        self._atomic: bool | None = None

    def publish_all(self) -> dict[str, int]:
        """Publish every enabled type; the number of the newest snapshot of each."""
        return {name: self.publish(name) for name in self._signal_types.enabled()}

    def publish(self, signal_type: str) -> int:
        """Bring the index up to the catalog as it is now.

        Returns:
            The number of a snapshot that holds everything committed before the call.

        Raises:
            StoreUnavailable, CatalogUnavailable: some marks are left; calling again goes on.
            SeveralWriters: this store needs a single publisher, and there is another.
        """
        with self._turns[signal_type]:
            self._check_writers()
            while True:
                marks = self._source.marks(signal_type, BATCH)
                newest = self._newest(signal_type)
                if newest and not marks and not self._silent(newest):
                    return newest.number
                snapshot = self._next(signal_type, newest, marks)
                if not self._create(snapshot):
                    continue  # another publisher was faster: start again from its snapshot
                self._source.clear(signal_type, marks)
                if len(marks) < BATCH:
                    return snapshot.number

    def rebuild(self, signal_type: str) -> int:
        """Publish anew from the whole catalog, using no segment that exists; the number of it."""
        with self._turns[signal_type]:
            self._check_writers()
            while not self._create(snapshot := self._whole(signal_type, self._newest(signal_type))):
                pass
            return snapshot.number

    def _next(self, signal_type: str, newest: Snapshot | None, marks: Sequence[Mark]) -> Snapshot:
        """The successor of `newest`, which also holds what is marked."""
        if newest is None:  # the store is new, or was lost: marks alone would not bring it back
            return self._whole(signal_type, None)
        ids = [mark.content_id for mark in marks if mark.content_id != BANKS]
        entries = self._valid(signal_type, self._source.entries(signal_type, ids))
        held = {entry.content_id: entry for entry in entries}
        tail = newest.tail.then(held, frozenset(ids) - held.keys())
        segments = newest.segments
        if len(tail) > self._settings.tail_entries or tail.bytes() > TAIL_BYTES:
            segments = self._segments[signal_type].add(segments, tail.held, tail.removed)
            tail = Tail()
        return self._successor(signal_type, newest, segments, tail)

    def _whole(self, signal_type: str, newest: Snapshot | None) -> Snapshot:
        """The successor of `newest` made from the whole catalog and from no segment there is."""
        entries = self._valid(signal_type, self._source.all_entries(signal_type))
        segments: tuple[SegmentRef, ...] = ()
        while chunk := tuple(itertools.islice(entries, MERGE_CONTENTS)):
            if not segments and len(chunk) <= self._settings.tail_entries:
                return self._successor(signal_type, newest, (), Tail(chunk))
            segments = self._segments[signal_type].add(segments, chunk)
        return self._successor(signal_type, newest, segments, Tail())

    def _successor(
        self,
        signal_type: str,
        newest: Snapshot | None,
        segments: tuple[SegmentRef, ...],
        tail: Tail,
    ) -> Snapshot:
        return Snapshot(
            signal_type=signal_type,
            number=newest.number + 1 if newest else 1,
            writer=uuid.uuid4().hex,
            created_at=self._clock(),
            threshold=self._signal_types.threshold(signal_type),
            banks=tuple(self._source.banks()),
            segments=segments,
            tail=tail,
        )

    def _create(self, snapshot: Snapshot) -> bool:
        """Whether `snapshot` is now the one with its number. False: another publisher's is."""
        try:
            key = snapshot_key(snapshot.signal_type, snapshot.number)
            self._store.create(key, snapshot.to_bytes())
        except ObjectExists:  # perhaps by ourselves: a retry after a time-out looks like this
            there = read_snapshot(self._store, snapshot.signal_type, snapshot.number)
            if there is None or there.writer != snapshot.writer:
                return False
        write_hint(self._store, snapshot.signal_type, snapshot.number)
        self._known[snapshot.signal_type] = snapshot
        return True

    def _newest(self, signal_type: str) -> Snapshot | None:
        """The newest snapshot. What we knew is a start only while its number cannot be reused."""
        known = self._known.get(signal_type)
        if known and self._clock() - known.created_at > self._settings.max_stale_seconds:
            known = None
        newest = newest_snapshot(self._store, signal_type, known)
        if newest:
            self._known[signal_type] = newest
        return newest

    def _silent(self, newest: Snapshot) -> bool:
        """Whether readers would soon take `newest` for stale: then it is time for a heartbeat."""
        return self._clock() - newest.created_at > self._settings.max_stale_seconds / 3

    def _valid(self, signal_type: str, entries: Iterable[Entry]) -> Iterator[Entry]:
        """`entries` without malformed signals: one of them would break the index of all."""
        for entry in entries:
            signals = tuple(s for s in entry.signals if self._is_valid(signal_type, s))
            if signals:
                yield replace(entry, signals=signals)

    def _is_valid(self, signal_type: str, signal: str) -> bool:
        try:
            return self._signal_types.validate(signal_type, signal) == signal
        except BadInput:
            return False

    def _check_writers(self) -> None:
        if self._atomic is None:
            self._atomic = honours_create(self._store)
        if self._atomic:
            return
        if not self._settings.single_writer:
            raise SeveralWriters(
                "this object store ignores create-if-absent, so two publishers would overwrite "
                "each other: use another store, or run exactly one publisher and set "
                "HMA_SINGLE_WRITER=true"
            )
        if not self._source.lease("publisher", self._writer, LEASE_SECONDS):
            raise SeveralWriters(
                "another publisher is at work, and this object store ignores create-if-absent: "
                f"stop one of them, then wait {LEASE_SECONDS:.0f} s"
            )
