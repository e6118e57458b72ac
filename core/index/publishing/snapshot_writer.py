"""The snapshots of one signal type, as whoever publishes goes from the newest to the next.

Numbers and segments past the grace may be collected, and a number must not be used twice. So a
publisher that slept (a frozen function, a stopped process) since it began does not create a
snapshot; and one that slept while it did makes sure that it has done no harm.
"""

import threading
import uuid
from dataclasses import replace

from core.errors import IndexNotReady, ObjectExists
from core.index.objects.banks import store_banks
from core.index.objects.segment import list_segments
from core.index.objects.snapshot import (
    SegmentRef,
    Snapshot,
    Tail,
    list_numbers,
    newest_snapshot,
    read_snapshot,
    write_hint,
)
from core.index.publishing.context import PublishContext


class SnapshotWriter:
    """Finds the newest snapshot and creates its successor: `begin`, `newest`, `create`.

    Attributes:
        turn: held from `begin` to `create`: threads of one process take turns.
    """

    def __init__(self, context: PublishContext) -> None:
        self.turn = threading.Lock()
        self._name = context.signal_type
        self._layout = context.layout
        self._source = context.source
        self._store = context.store
        self._signal_types = context.signal_types
        self._settings = context.settings
        self._clock = context.clock
        self._known: Snapshot | None = None
        self._begun_at = 0.0

    def begin(self) -> None:
        """What is found from now on may be built on, for half the grace."""
        self._begun_at = self._clock()

    def slept(self) -> bool:
        """Whether more than that has passed: begin again."""
        return self._clock() - self._begun_at > self._settings.grace_seconds / 2

    def newest(self) -> Snapshot | None:
        """The newest snapshot, None if there is none. A rebuild that died is no part of it.

        Raises:
            StoreUnavailable, SegmentCorrupt
        """
        known = self._known  # which is a start only while its number cannot be reused
        if known and self._clock() - known.created_at > self._settings.max_stale_seconds:
            known = None
        newest = newest_snapshot(self._store, self._layout, known)
        if newest and newest.rebuild and newest.rebuild.until < self._clock():
            newest = replace(newest, rebuild=None)  # merging goes on without it
        self._known = newest
        return newest

    def existing(self) -> Snapshot:
        """As `newest`, where there has been one.

        Raises:
            IndexNotReady: it is not there any more.
        """
        newest = self.newest()
        if newest is None:
            raise IndexNotReady(f"all snapshots of {self._name} have vanished from the store")
        return newest

    def successor(
        self, newest: Snapshot | None, segments: tuple[SegmentRef, ...], tail: Tail
    ) -> Snapshot:
        """What comes after `newest`, with the banks as they are now. Not created yet.

        A list of banks that is too long to stand in it is stored.

        Raises:
            StoreUnavailable, CatalogUnavailable
        """
        earlier = newest.bank_list if newest else None
        banks, bank_list = store_banks(self._store, self._layout, self._source.banks(), earlier)
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

    def create(self, snapshot: Snapshot) -> bool:
        """Whether `snapshot` is now the one with its number. False: begin again.

        Raises:
            Unavailable: nobody knows; beginning again shows whether it is.
        """
        if self.slept():
            return False
        try:
            self._store.create(self._layout.snapshot(snapshot.number), snapshot.to_bytes())
        except ObjectExists:  # perhaps by ourselves: a retry after a time-out looks like this
            stored = read_snapshot(self._store, self._layout, snapshot.number)
            if stored is None or stored.writer != snapshot.writer:
                return False
        if self.slept():
            self._take_back(snapshot)
            return False
        self._known = snapshot
        write_hint(self._store, self._layout, snapshot.number)
        return True

    def _take_back(self, snapshot: Snapshot) -> None:
        """Delete what we have just created if it is a fork, or names what is gone.

        Others may have gone on to numbers far ahead and collected those between: then nothing
        follows ours. If nothing newer is there at all, ours is the newest and stays, unless a
        segment of it was collected while no snapshot named it; then nobody can have read it.
        """
        numbers = list_numbers(self._store, self._layout)
        if max(numbers, default=0) > snapshot.number:
            harmful = snapshot.number + 1 not in numbers
        else:
            segments = list_segments(self._store, self._layout)
            harmful = not snapshot.segment_ids() <= segments.keys()
        if harmful:
            self._store.delete(self._layout.snapshot(snapshot.number))
