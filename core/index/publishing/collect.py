"""Deleting what no reader can need any more.

Snapshots older than the grace go, oldest first, so that those which stay are always consecutive;
the newest one always stays. A segment, as which a list of banks counts, goes when the newest
snapshot has not named it for the grace: whoever still read it through an older snapshot has
looked again long since. When that began is written down, because most stores' listings do not
tell how old an object is, and a segment that was just written is named by nothing yet. What a
rebuild has written counts as named as long as it is under way.
"""

import json
from collections.abc import Callable

from core.errors import ObjectMissing, SegmentCorrupt
from core.index.objects.layout import Layout
from core.index.objects.segment import list_segments
from core.index.objects.snapshot import Snapshot, list_numbers, read_snapshot
from core.store import ObjectStore


class Collector:
    """Collects one signal type's snapshots and segments. Several may work at once."""

    def __init__(
        self, layout: Layout, store: ObjectStore, grace: float, clock: Callable[[], float]
    ) -> None:
        self._layout = layout
        self._store = store
        self._grace = grace
        self._clock = clock

    def collect(self, newest: Snapshot) -> None:
        """Delete what the grace has passed for; `newest` was the newest snapshot a moment ago."""
        self._collect_snapshots(newest)
        self._collect_segments(newest)

    def _collect_snapshots(self, newest: Snapshot) -> None:
        oldest_kept = self._clock() - self._grace
        for number in list_numbers(self._store, self._layout):
            if number >= newest.number:
                return
            try:
                snapshot = read_snapshot(self._store, self._layout, number)
            except SegmentCorrupt:  # nobody can read it, and newer ones do not need it
                snapshot = None
            if snapshot and snapshot.created_at > oldest_kept:
                return
            self._store.delete(self._layout.snapshot(number))

    def _collect_segments(self, newest: Snapshot) -> None:
        now = self._clock()
        named = newest.segment_ids()
        since, stored = self._unnamed_since(), list_segments(self._store, self._layout)
        awaited = newest.rebuild and newest.rebuild.id
        unnamed = {
            id_: since.get(id_, now)
            for id_ in stored
            if id_ not in named and not (awaited and id_.startswith(awaited))
        }
        for id_, began in list(unnamed.items()):
            if now - began > self._grace:
                for key in stored[id_]:
                    self._store.delete(key)
                del unnamed[id_]
        if unnamed != since:
            self._store.put(self._layout.unnamed, json.dumps(unnamed, sort_keys=True).encode())

    def _unnamed_since(self) -> dict[str, float]:
        """Since when each segment has been without a name, as far as earlier looks know."""
        try:
            record = json.loads(self._store.get(self._layout.unnamed))
            return {str(id_): float(began) for id_, began in record.items()}
        except (ObjectMissing, ValueError, AttributeError, TypeError):
            return {}
