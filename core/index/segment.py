"""One layer of an index: some contents, their signals, and the contents it says are gone.

A segment is a layer written to the store; the tail of a snapshot is one that is still inline.
Both go through the same `encode` and `Layer`, so there is one format and one search.

Files of a layer (n contents by ascending id, r rows):

| file | what |
|---|---|
| `ids`, `banks`, `until` | int64 (n): content id, bank id, `disable_until_ts` |
| `extras`, `extra_offsets` | JSON of metadata and note by content, empty where it has neither |
| `removed` | int64, ascending: contents of earlier layers that are gone |
| `owners` | uint32 (r): the content of a row, as its position in `ids` |
| others | the signals of the rows, by kind: `binary`, `exact`, `generic` |
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.signal_base import SignalType

from core.index.binary import BinarySignals
from core.index.cache import DiskCache
from core.index.columns import Buffer, Texts, array, array_bytes
from core.index.entry import Entry
from core.index.exact import ExactSignals
from core.index.generic import GenericSignals
from core.index.hits import Hits, Signals
from core.index.snapshot import FileRef, SegmentRef
from core.store import ObjectStore

KINDS: dict[str, Any] = {"binary": BinarySignals, "exact": ExactSignals, "generic": GenericSignals}


def encode(kind: str, entries: Iterable[Entry], removed: Iterable[int]) -> dict[str, bytes]:
    """The files of a layer. `entries` come by ascending content id, each with its signals."""
    held = list(entries)
    rows = [(owner, signal) for owner, e in enumerate(held) for signal in e.signals]
    files: dict[str, bytes]
    files, order = KINDS[kind].encode([signal for _, signal in rows])
    extras, extra_offsets = Texts.encode(_extra_bytes(entry) for entry in held)
    return files | {
        "ids": array_bytes([e.content_id for e in held], "<i8"),
        "banks": array_bytes([e.bank_id for e in held], "<i8"),
        "until": array_bytes([e.disable_until_ts for e in held], "<i8"),
        "extras": extras,
        "extra_offsets": extra_offsets,
        "removed": array_bytes(sorted(removed), "<i8"),
        "owners": array_bytes([rows[row][0] for row in order], "<u4"),
    }


class Layer:
    """A layer opened for search, over mapped files or bytes in memory."""

    def __init__(
        self, kind: str, signal_type: type[SignalType], files: Mapping[str, Buffer]
    ) -> None:
        self.ids = array(files["ids"], "<i8")
        self.removed = array(files["removed"], "<i8")
        self._banks = array(files["banks"], "<i8")
        self._until = array(files["until"], "<i8")
        self._extras = Texts(files["extras"], files["extra_offsets"])
        self._owners = array(files["owners"], "<u4")
        self._signals: Signals = (
            GenericSignals(files, signal_type) if kind == "generic" else KINDS[kind](files)
        )

    def search(self, signal: str, threshold: int) -> tuple[NDArray[np.uint32], Hits]:
        """The matching rows, and beside each the position of its content in `ids`."""
        hits = self._signals.search(signal, threshold)
        return self._owners[hits.rows], hits

    def names(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of `ids` this layer holds or removes, and so hides in earlier layers."""
        return _contains(self.ids, ids) | _contains(self.removed, ids)

    def bank_id(self, position: int) -> int:
        return int(self._banks[position])

    def disable_until_ts(self, position: int) -> int:
        return int(self._until[position])

    def extra(self, position: int) -> dict[str, Any]:
        """`metadata` and `note` of the content at `position`, where it has them."""
        text = self._extras[position]
        return json.loads(text) if text else {}

    def entries(self) -> Iterator[Entry]:
        """Everything the layer holds, by ascending content id."""
        rows = np.argsort(self._owners, kind="stable")
        owners = self._owners[rows]
        starts = np.searchsorted(owners, np.arange(len(self.ids) + 1))
        for position, content_id in enumerate(self.ids.tolist()):
            mine = rows[starts[position] : starts[position + 1]]
            yield Entry(
                content_id,
                self.bank_id(position),
                tuple(self._signals[int(row)] for row in mine),
                self.disable_until_ts(position),
                **self.extra(position),
            )


def write_segment(
    store: ObjectStore,
    signal_type: str,
    kind: str,
    entries: Iterable[Entry],
    removed: Iterable[int] = (),
) -> SegmentRef:
    """Store a layer under a name made from its content: writing it twice changes nothing."""
    files = encode(kind, entries, removed)
    refs = {
        name: FileRef(len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    listing = json.dumps([kind, sorted((name, ref.sha256) for name, ref in refs.items())])
    segment = SegmentRef(
        id=hashlib.sha256(listing.encode()).hexdigest(),
        kind=kind,
        contents=(len(files["ids"]) + len(files["removed"])) // 8,
        rows=len(files["owners"]) // 4,
        files=refs,
    )
    for name, data in files.items():
        store.put(file_key(signal_type, segment, name), data)
    return segment


def open_segment(
    cache: DiskCache, signal_type: str, type_class: type[SignalType], segment: SegmentRef
) -> Layer:
    """The layer of a stored segment, mapped from the cache, which fetches what it lacks.

    Raises:
        ObjectMissing, SegmentCorrupt, StoreUnavailable
    """
    files = {
        name: cache.file(file_key(signal_type, segment, name), ref)
        for name, ref in segment.files.items()
    }
    return Layer(segment.kind, type_class, files)


def file_key(signal_type: str, segment: SegmentRef, name: str) -> str:
    return f"index/{signal_type}/segments/{segment.id}/{name}"


def _extra_bytes(entry: Entry) -> bytes:
    extra = {"metadata": entry.metadata, "note": entry.note}
    given = {name: value for name, value in extra.items() if value is not None}
    return json.dumps(given, sort_keys=True, separators=(",", ":")).encode() if given else b""


def _contains(ascending: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    if len(ascending) == 0:
        return np.zeros(len(ids), bool)
    at = np.searchsorted(ascending, ids)
    found: NDArray[np.bool_] = ascending[np.minimum(at, len(ascending) - 1)] == ids
    return found
