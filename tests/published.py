"""What a deployment's index says, and what its catalog says, in one form to compare."""

from core.index.entry import Entry
from core.index.layers.columns import Columns
from core.index.layers.kinds import layer_kind
from core.index.objects.cache import DiskCache
from core.index.objects.layout import Layout
from core.index.objects.segment import open_segment
from core.index.objects.snapshot import newest_snapshot, read_snapshot
from core.services import Services


def published_entries(
    services: Services, number: int | None = None, signal_type: str = "pdq"
) -> dict[int, Entry]:
    """Every content of the newest snapshot (or of `number`), by id."""
    layout = Layout(signal_type)
    snapshot = (
        read_snapshot(services.store, layout, number)
        if number
        else newest_snapshot(services.store, layout)
    )
    assert snapshot is not None
    cache = DiskCache(services.store, services.settings.cache_dir)
    type_class = services.signal_types.get(signal_type)
    layers = [open_segment(cache, layout, type_class, s).columns for s in snapshot.segments]
    kind = layer_kind(services.signal_types.kind(signal_type).name)
    tail = Columns.of(kind, snapshot.tail.held, snapshot.tail.removed)
    merged = Columns.merge([*layers, tail], at_bottom=True)
    return {entry.content_id: entry for entry in merged.entries()}


def catalog_entries(services: Services, signal_type: str = "pdq") -> dict[int, Entry]:
    return {entry.content_id: entry for entry in services.catalog.entries.every(signal_type)}
