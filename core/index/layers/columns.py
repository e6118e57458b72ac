"""The contents of a layer as columns: made from entries, merged, given back.

Knows neither how signals are packed nor how they are searched: that is asked of the kind.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.index.entry import Entry
from core.index.layers.arrays import integers
from core.index.layers.kind import LayerKind
from core.index.layers.packed import Packed, Texts

Ids = NDArray[np.integer[Any]]


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
        kind: what its signals are.
        ids: content ids, ascending, shape (n,).
        banks: bank ids, shape (n,).
        until: `disable_until_ts`, shape (n,).
        extras: JSON of metadata, note and labels, n texts.
        removed: ids of contents that are gone, ascending.
        owners: position in `ids` of each row's content, shape (r,).
        signals: r of them.
    """

    kind: LayerKind[Any]
    ids: Ids
    banks: Ids
    until: Ids
    extras: Texts
    removed: Ids
    owners: Ids
    signals: Packed

    @classmethod
    def of(
        cls, kind: LayerKind[Any], entries: Iterable[Entry], removed: Iterable[int] = ()
    ) -> "Columns":
        """The columns of `entries`, which come by ascending content id."""
        held = list(entries)
        rows = [(owner, signal) for owner, e in enumerate(held) for signal in e.signals]
        return cls(
            kind,
            np.array([e.content_id for e in held], np.int64),
            np.array([e.bank_id for e in held], np.int64),
            np.array([e.disable_until_ts for e in held], np.int64),
            Texts.pack(map(_extra_text, held)),
            np.array(sorted(removed), np.int64),
            np.array([owner for owner, _ in rows], np.uint32),
            kind.pack([signal for _, signal in rows]),
        )._arrange()

    @classmethod
    def merge(cls, layers: Sequence["Columns"], *, at_bottom: bool) -> "Columns":
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
            layers[0].kind,
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
        )._arrange()

    def _arrange(self) -> "Columns":
        """Rows in the order in which they are stored."""
        order = self.kind.order(self.signals, self.owners)
        return replace(self, owners=self.owners[order], signals=self.signals.take(order))

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

    def files(self) -> dict[str, bytes]:
        """The files of the layer but for postings, which are made where a layer is stored."""
        return {
            "ids": integers(self.ids),
            "banks": integers(self.banks),
            "until": integers(self.until),
            **self.extras.files("extras"),
            "removed": integers(self.removed),
            "owners": integers(self.owners),
            **self.kind.files(self.signals),
        }


def _extra_text(entry: Entry) -> str:
    extra = {"metadata": entry.metadata, "note": entry.note, "labels": entry.labels or None}
    known = {name: value for name, value in extra.items() if value is not None}
    return json.dumps(known, sort_keys=True, separators=(",", ":")) if known else ""


def _contains(ascending: Ids, ids: Ids) -> NDArray[np.bool_]:
    if len(ascending) == 0:
        return np.zeros(len(ids), bool)
    # Of the same type, or NumPy would convert the whole column for every query.
    limits = np.iinfo(ascending.dtype)
    at = np.searchsorted(ascending, ids.clip(limits.min, limits.max).astype(ascending.dtype))
    contained: NDArray[np.bool_] = ascending[np.minimum(at, len(ascending) - 1)] == ids
    return contained
