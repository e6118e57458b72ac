"""The banks that a snapshot names: inline while they are few, else in a file of their own.

A snapshot is written and read at every change, the list of banks seldom changes. The file is
stored like a segment, under a name of its own with its checksum in the snapshot, so that it is
verified, cached and collected as segments are. Writing it anew, even with what an earlier one
held, makes another name: whoever collects the earlier one hurts nobody.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace

from core.errors import SegmentCorrupt
from core.index.entry import IndexedBank
from core.index.objects.cache import DiskCache
from core.index.objects.disk import usable_disk
from core.index.objects.layout import Layout
from core.index.objects.snapshot import FileRef, SegmentRef, Snapshot
from core.store import ObjectStore

INLINE_BYTES = 32 << 10
"""Some 350 banks stand in the snapshot itself, which spares most deployments a second file."""

KIND = "banks"


def store_banks(
    store: ObjectStore,
    layout: Layout,
    banks: Sequence[IndexedBank],
    earlier: SegmentRef | None,
) -> tuple[tuple[IndexedBank, ...], SegmentRef | None]:
    """`banks` as the `banks` and the `bank_list` of a snapshot.

    Args:
        earlier: the list that the snapshot before names, which is kept if it says the same.
    """
    rows = [vars(bank) for bank in banks]  # `asdict` would take thirty times as long
    content = json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()
    if len(content) <= INLINE_BYTES:
        return tuple(banks), None
    files = {KIND: FileRef(len(content), hashlib.sha256(content).hexdigest())}
    if earlier is not None and earlier.files == files:
        return (), earlier
    listed = SegmentRef(uuid.uuid4().hex, KIND, len(banks), 0, files)
    store.put(layout.segment_file(listed.id, KIND), content)
    return (), listed


def load_banks(
    snapshot: Snapshot, cache: DiskCache, layout: Layout, known: Snapshot | None = None
) -> Snapshot:
    """`snapshot` with all of its banks in `banks`.

    Args:
        known: one that has them already, which spares reading the same list again.

    Raises:
        ObjectMissing, SegmentCorrupt, StoreUnavailable
        Unavailable: the local disk cannot be used.
    """
    listed = snapshot.bank_list
    if listed is None:
        return snapshot
    if known and known.bank_list == listed:
        return replace(snapshot, banks=known.banks)
    key = layout.segment_file(listed.id, KIND)
    with usable_disk("the cache", "HMA_CACHE_DIR"):
        content = cache.file(key, listed.files[KIND]).read_bytes()
    try:
        return replace(snapshot, banks=tuple(IndexedBank(**bank) for bank in json.loads(content)))
    except (ValueError, TypeError) as error:
        raise SegmentCorrupt(f"{key} cannot be read: {error}") from error
