"""The segments of one signal type, as whoever publishes writes them and reads them back."""

from collections.abc import Sequence

from core.index.layers.columns import Columns
from core.index.layers.kinds import layer_kind
from core.index.objects.cache import DiskCache
from core.index.objects.segment import open_segment, write_segment
from core.index.objects.snapshot import SegmentRef, Tail
from core.index.publishing.context import PublishContext


class SegmentWriter:
    """Layers of one signal type as columns, in the store and out of it."""

    def __init__(self, context: PublishContext) -> None:
        self._name = context.signal_type
        self._layout = context.layout
        self._store = context.store
        self._signal_types = context.signal_types
        self._cache = DiskCache(context.store, context.settings.cache_dir)

    def columns(self, segment: SegmentRef) -> Columns:
        """What a stored segment holds.

        Raises:
            ObjectMissing, SegmentCorrupt, StoreUnavailable
        """
        signal_type = self._signal_types.get(self._name)
        return open_segment(self._cache, self._layout, signal_type, segment).columns

    def columns_of(self, tail: Tail) -> Columns:
        """What a tail holds, the layer above all segments."""
        kind = layer_kind(self._signal_types.kind(self._name).name)
        return Columns.of(kind, tail.held, tail.removed)

    def store(self, layers: Sequence[Columns], *, bottom: bool) -> tuple[SegmentRef, ...]:
        """`layers`, oldest first, as one new segment; as none if nothing is left of them.

        Args:
            bottom: whether no layer lies beneath, of which anything could be removed.

        Raises:
            StoreUnavailable
        """
        columns = Columns.merge(layers, at_bottom=bottom)
        if not columns.size:
            return ()
        return (write_segment(self._store, self._layout, columns),)
