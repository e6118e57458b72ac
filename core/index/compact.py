"""Keeping segments few: small ones are merged into larger ones as they come.

Size-tiered: a new segment takes along its older neighbours while they are not much larger than
what is merged so far. So a signal is rewritten a few times in its life, and an index of a
million contents has about ten segments.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence

from core.index.cache import DiskCache
from core.index.entry import Entry
from core.index.segment import Layer, open_segment, write_segment
from core.index.snapshot import SegmentRef
from core.signal_types import SignalTypes
from core.store import ObjectStore

TIER_RATIO = 4
"""A neighbour is merged if it is at most this many times what is merged so far."""

MERGE_CONTENTS = 100_000
"""Segments that together hold more are left alone, so that no publication takes long."""


class Segments:
    """The stored segments of one signal type, as a publisher extends them."""

    def __init__(
        self, store: ObjectStore, cache: DiskCache, signal_types: SignalTypes, signal_type: str
    ) -> None:
        self._store = store
        self._cache = cache
        self._name = signal_type
        self._type = signal_types.get(signal_type)
        self._kind = signal_types.kind(signal_type)

    def add(
        self, older: tuple[SegmentRef, ...], held: Sequence[Entry], removed: Iterable[int] = ()
    ) -> tuple[SegmentRef, ...]:
        """`older` and a further layer, merged where that keeps segments few.

        Segments are written, none is deleted: until a snapshot names them nobody reads them.
        """
        removed = list(removed)
        keep, size = len(older), len(held) + len(removed)
        while (
            keep
            and older[keep - 1].contents <= TIER_RATIO * size
            and older[keep - 1].contents + size <= MERGE_CONTENTS
        ):
            keep -= 1
            size += older[keep].contents
        layers = [open_segment(self._cache, self._name, self._type, s) for s in older[keep:]]
        entries = list(merged(layers, held, removed))
        gone = set(removed).union(*(layer.removed.tolist() for layer in layers))
        gone -= {entry.content_id for entry in entries}
        # Below the oldest layer there is nothing left that a removal could hide.
        written = write_segment(self._store, self._name, self._kind, entries, gone if keep else ())
        return (*older[:keep], written) if written.contents else older[:keep]


def merged(
    layers: Sequence[Layer], held: Sequence[Entry], removed: Iterable[int]
) -> Iterator[Entry]:
    """What `layers` (oldest first), then `held` and `removed`, say together, by content id."""
    changes = [_changes(0, held, removed)]
    for age, layer in enumerate(reversed(layers), start=1):
        changes.append(_changes(age, layer.entries(), layer.removed.tolist()))
    last = None
    for content_id, _, entry in heapq.merge(*changes, key=lambda change: change[:2]):
        if content_id != last and entry is not None:
            yield entry
        last = content_id


def _changes(
    age: int, held: Iterable[Entry], removed: Iterable[int]
) -> Iterator[tuple[int, int, Entry | None]]:
    """One layer as `(content id, age, entry or None)`, by content id."""
    kept = ((entry.content_id, age, entry) for entry in held)
    gone = ((content_id, age, None) for content_id in sorted(removed))
    return heapq.merge(kept, gone, key=lambda change: change[0])
