"""One layer of an index: some contents, their signals, and the contents it says are gone.

A segment is a layer written to the store; the tail of a snapshot is one that is still inline.
Both have the same files and the same search.

Files of a layer (n contents by ascending id, r rows):

| file | what |
|---|---|
| `ids`, `banks`, `until` | integers (n): content id, bank id, `disable_until_ts` |
| `extras`, `extras_offsets` | JSON of metadata, note, labels by content, empty if it has none |
| `removed` | integers, ascending: contents of earlier layers that are gone |
| `owners` | integers (r): the content of a row, as its position in `ids` |
| others | the signals of the rows, by kind: `binary`, `exact`, `frames`, `generic` |
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threatexchange.signal_type.signal_base import SignalType

from core.index.entry import Entry
from core.index.layers.binary import BinarySignals
from core.index.layers.columns import Buffer, Codes, Packed, Texts, integers, open_integers
from core.index.layers.exact import Digests, ExactSignals
from core.index.layers.frames import Frames, FrameSignals
from core.index.layers.generic import GenericSignals
from core.index.layers.hits import Hits, Signals

Ids = NDArray[np.integer[Any]]

PACKED: Mapping[str, Any] = {
    "binary": Codes,
    "exact": Digests,
    "frames": Frames,
    "generic": Texts,
}
OPENED: Mapping[str, Any] = {
    "binary": BinarySignals,
    "exact": ExactSignals,
    "frames": FrameSignals,
    "generic": GenericSignals,
}

WITH_POSTINGS = (BinarySignals, FrameSignals)
"""Kinds whose large segments also have postings."""


class Naming(Protocol):
    """What a layer says of contents at all: all that those beneath it have to know."""

    def names(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of `ids` this layer holds or removes, and so hides in earlier layers."""
        ...


@dataclass(frozen=True)
class Names:
    """The contents that a layer names, without the layer: ids that ascend."""

    ids: Ids
    removed: Ids

    def names(self, ids: Ids) -> NDArray[np.bool_]:
        return _contains(self.ids, ids) | _contains(self.removed, ids)


@dataclass(frozen=True)
class Columns:
    """The content of a layer as arrays: `n` contents, `r` rows.

    Attributes:
        ids: content ids, ascending, shape (n,).
        banks: bank ids, shape (n,).
        until: `disable_until_ts`, shape (n,).
        extras: JSON of metadata, note and labels, n texts.
        removed: ids of contents that are gone, ascending.
        owners: position in `ids` of each row's content, shape (r,).
        signals: r of them.
    """

    ids: Ids
    banks: Ids
    until: Ids
    extras: Texts
    removed: Ids
    owners: Ids
    signals: Packed

    @classmethod
    def of(cls, kind: str, entries: Iterable[Entry], removed: Iterable[int] = ()) -> "Columns":
        """The columns of `entries`, which come by ascending content id."""
        held = list(entries)
        rows = [(owner, signal) for owner, e in enumerate(held) for signal in e.signals]
        return cls(
            np.array([e.content_id for e in held], np.int64),
            np.array([e.bank_id for e in held], np.int64),
            np.array([e.disable_until_ts for e in held], np.int64),
            Texts.pack(map(_extra_text, held)),
            np.array(sorted(removed), np.int64),
            np.array([owner for owner, _ in rows], np.uint32),
            PACKED[kind].pack([signal for _, signal in rows]),
        )._arranged()

    @classmethod
    def merged(cls, layers: Sequence["Columns"], *, at_bottom: bool) -> "Columns":
        """What `layers`, oldest first, say together.

        Args:
            at_bottom: no older layer lies beneath, so there is nothing left to remove from.
        """
        kept = [~layer.hidden_by(layers[at + 1 :]) for at, layer in enumerate(layers)]
        ids = np.concatenate([layer.ids[keep] for layer, keep in zip(layers, kept, strict=True)])
        order = np.argsort(ids, kind="stable")
        position = np.empty(len(ids), np.int64)
        position[order] = np.arange(len(ids))
        removed = np.unique(np.concatenate([layer.removed for layer in layers]))
        owners, signals, contents_before = [], [], 0
        for layer, keep in zip(layers, kept, strict=True):
            mine = int(keep.sum())
            renumbered = np.full(len(keep), -1)
            renumbered[keep] = position[contents_before : contents_before + mine]
            contents_before += mine
            owner = renumbered[layer.owners]
            rows = np.flatnonzero(owner >= 0)
            owners.append(owner[rows].astype(np.uint32))
            signals.append(layer.signals.take(rows))
        return cls(
            ids[order],
            np.concatenate([layer.banks[k] for layer, k in zip(layers, kept, strict=True)])[order],
            np.concatenate([layer.until[k] for layer, k in zip(layers, kept, strict=True)])[order],
            Texts.concat(
                [
                    layer.extras.take(np.flatnonzero(keep))
                    for layer, keep in zip(layers, kept, strict=True)
                ]
            ).take(order),
            removed[:0] if at_bottom else removed[~_contains(ids[order], removed)],
            np.concatenate(owners),
            type(layers[0].signals).concat(signals),
        )._arranged()

    def _arranged(self) -> "Columns":
        """Rows in the order in which they are stored: digests ascend, others follow contents."""
        order = (
            self.signals.order()
            if isinstance(self.signals, Digests)
            else np.argsort(self.owners, kind="stable")
        )
        columns = vars(self) | {"owners": self.owners[order], "signals": self.signals.take(order)}
        return Columns(**columns)

    @property
    def size(self) -> int:
        """Number of contents the layer names: holds or removes."""
        return len(self.ids) + len(self.removed)

    def names(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of `ids` this layer holds or removes, and so hides in earlier layers."""
        return Names(self.ids, self.removed).names(ids)

    def hidden_by(self, later: Iterable[Naming], ids: Ids | None = None) -> NDArray[np.bool_]:
        """Which of its contents (or of `ids` among them) the `later` layers decide about."""
        asked = self.ids if ids is None else ids
        hidden = np.zeros(len(asked), bool)
        for layer in later:
            hidden |= layer.names(asked)
        return hidden

    def extra(self, position: int) -> dict[str, Any]:
        """`metadata`, `note` and `labels` of the content at `position`, where it has them."""
        text = self.extras[position]
        extra = json.loads(text) if text else {}
        return extra | {"labels": tuple(extra.get("labels", ()))}

    def entries(self) -> Iterator[Entry]:
        """Everything the layer holds, by ascending content id."""
        rows = np.argsort(self.owners, kind="stable")
        starts = np.searchsorted(self.owners[rows], np.arange(len(self.ids) + 1))
        for position, content_id in enumerate(self.ids.tolist()):
            mine = rows[starts[position] : starts[position + 1]]
            yield Entry(
                content_id,
                int(self.banks[position]),
                tuple(self.signals[int(row)] for row in mine),
                int(self.until[position]),
                **self.extra(position),
            )

    def files(self, kind: str) -> dict[str, bytes]:
        """The files of the layer but for postings, which are made where a layer is stored."""
        return {
            "ids": integers(self.ids),
            "banks": integers(self.banks),
            "until": integers(self.until),
            **self.extras.files("extras"),
            "removed": integers(self.removed),
            "owners": integers(self.owners),
            **OPENED[kind].files(self.signals),
        }


class Layer:
    """A layer opened for search, over mapped files or bytes in memory."""

    def __init__(
        self, kind: str, signal_type: type[SignalType], files: Mapping[str, Buffer]
    ) -> None:
        generic = kind == "generic"
        self._signals: Signals = (
            GenericSignals(files, signal_type) if generic else OPENED[kind](files)
        )
        self.columns = Columns(
            open_integers(files["ids"]),
            open_integers(files["banks"]),
            open_integers(files["until"]),
            Texts.open(files, "extras"),
            open_integers(files["removed"]),
            open_integers(files["owners"]),
            self._signals.packed,
        )

    @property
    def has_postings(self) -> bool:
        """Whether a search reads candidates instead of all rows."""
        return isinstance(self._signals, WITH_POSTINGS) and self._signals.has_postings

    def add_postings(self, source: Buffer) -> None:
        """Search faster from now on, where the signals are codes."""
        if isinstance(self._signals, WITH_POSTINGS):
            self._signals.add_postings(source)

    def search(self, signals: Sequence[str], threshold: int) -> list[tuple[Ids, Hits]]:
        """For each signal the matching rows, and before them the position of each's content."""
        return [
            (self.columns.owners[hits.rows], hits)
            for hits in self._signals.search(signals, threshold)
        ]


def _extra_text(entry: Entry) -> str:
    extra = {"metadata": entry.metadata, "note": entry.note, "labels": entry.labels or None}
    given = {name: value for name, value in extra.items() if value is not None}
    return json.dumps(given, sort_keys=True, separators=(",", ":")) if given else ""


def _contains(ascending: Ids, ids: Ids) -> NDArray[np.bool_]:
    if len(ascending) == 0:
        return np.zeros(len(ids), bool)
    # Of the same type, or NumPy would convert the whole column for every query.
    limits = np.iinfo(ascending.dtype)
    at = np.searchsorted(ascending, ids.clip(limits.min, limits.max).astype(ascending.dtype))
    found: NDArray[np.bool_] = ascending[np.minimum(at, len(ascending) - 1)] == ids
    return found
