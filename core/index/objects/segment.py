"""A layer in the object store: several immutable files under a name of their own.

The name is made from the files' checksums and a random part: two publishers that write the same
never share a segment, so that collecting the one nobody refers to cannot hurt the other. The
segments of one rebuild have that part in common, and are kept until it ends: who writes one of
them again gives the same objects the same names.
"""

import hashlib
import json
import tempfile
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from threatexchange.signal_type.signal_base import SignalType

from core.index.layers.arrays import open_integers
from core.index.layers.columns import Columns, Names
from core.index.layers.kinds import layer_kind
from core.index.layers.layer import Layer
from core.index.layers.postings import FEWEST_ROWS, write_postings
from core.index.objects.cache import DiskCache
from core.index.objects.disk import usable_disk
from core.index.objects.layout import Layout
from core.index.objects.snapshot import FileRef, SegmentRef
from core.store import ObjectStore


def write_segment(
    store: ObjectStore, layout: Layout, columns: Columns, rebuild: str | None = None
) -> SegmentRef:
    """Store `columns`. Nobody reads them until a snapshot names the segment.

    Args:
        rebuild: the id of the rebuild that writes it, if one does.

    Raises:
        StoreUnavailable
        Unavailable: there is no room for the postings of a large segment.
    """
    files = columns.files()
    refs = {
        name: FileRef(len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    with usable_disk(tempfile.gettempdir(), "TMPDIR"), ExitStack() as undo:
        codes = columns.kind.codes(columns.signals)
        if codes is not None and len(codes) >= FEWEST_ROWS:
            postings = undo.enter_context(tempfile.NamedTemporaryFile(prefix="postings-"))
            write_postings(codes, Path(postings.name))
            digest = hashlib.file_digest(postings, "sha256").hexdigest()
            refs["postings"] = FileRef(postings.tell(), digest)
        segment = SegmentRef(
            _segment_id(refs, rebuild), columns.kind.name, columns.size, len(columns.owners), refs
        )

        def write(name: str) -> None:
            key = layout.segment_file(segment.id, name)
            if name in files:
                store.put(key, files[name])
            else:
                store.upload(key, Path(postings.name))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, refs))
    return segment


def open_segment(
    cache: DiskCache, layout: Layout, signal_type: type[SignalType], segment: SegmentRef
) -> Layer:
    """The layer of a stored segment, mapped from the cache, which fetches what it lacks.

    Postings that are not in the cache are left for `fetch_postings`: they are most of a large
    segment and change no answer, only how soon it comes.

    Raises:
        ObjectMissing, SegmentCorrupt, StoreUnavailable
        Unavailable: the local disk cannot be used.
    """
    names = [name for name, ref in segment.files.items() if name != "postings" or cache.holds(ref)]
    files = _fetch_files(cache, layout, segment, names)
    with usable_disk("the cache", "HMA_CACHE_DIR"):
        return Layer(layer_kind(segment.kind), signal_type, files)


def open_names(cache: DiskCache, layout: Layout, segment: SegmentRef) -> Names:
    """What a stored segment names; nothing else of it is fetched.

    Raises:
        ObjectMissing, SegmentCorrupt, StoreUnavailable
        Unavailable: the local disk cannot be used.
    """
    files = _fetch_files(cache, layout, segment, ["ids", "removed"])
    with usable_disk("the cache", "HMA_CACHE_DIR"):
        return Names(open_integers(files["ids"]), open_integers(files["removed"]))


def fetch_postings(cache: DiskCache, layout: Layout, segment: SegmentRef, layer: Layer) -> None:
    """Give `layer` the postings that its segment has, fetched now.

    Raises:
        ObjectMissing, SegmentCorrupt, StoreUnavailable
        Unavailable: the local disk cannot be used.
    """
    key = layout.segment_file(segment.id, "postings")
    with usable_disk("the cache", "HMA_CACHE_DIR"):
        layer.add_postings(cache.file(key, segment.files["postings"]))


def _fetch_files(
    cache: DiskCache, layout: Layout, segment: SegmentRef, names: Sequence[str]
) -> dict[str, Path]:
    """Those files of a segment, by name, each from the cache or fetched."""
    with ThreadPoolExecutor(4) as pool:
        paths = pool.map(
            lambda name: cache.file(layout.segment_file(segment.id, name), segment.files[name]),
            names,
        )
        return dict(zip(names, paths, strict=True))


def list_segments(store: ObjectStore, layout: Layout) -> dict[str, list[str]]:
    """The keys of the files of every segment in the store, by segment id.

    Raises:
        StoreUnavailable
    """
    prefix = layout.segments
    keys: dict[str, list[str]] = {}
    for info in store.list(prefix):
        keys.setdefault(info.key.removeprefix(prefix).partition("/")[0], []).append(info.key)
    return keys


def _segment_id(refs: dict[str, FileRef], rebuild: str | None) -> str:
    content = sorted((name, ref.sha256) for name, ref in refs.items())
    owner = rebuild or uuid.uuid4().hex
    digest = hashlib.sha256(json.dumps([content, owner]).encode()).hexdigest()
    return rebuild + digest[len(rebuild) :] if rebuild else digest
