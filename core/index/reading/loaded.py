"""One snapshot with its layers: what answers a lookup."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from core.errors import LongSearch
from core.index.layers.columns import Columns, Ids, Names, Naming
from core.index.layers.hits import Hits
from core.index.layers.layer import Layer
from core.index.objects.snapshot import Snapshot
from core.index.reading.lookup_index import ContentMatch, IndexState


class LoadedIndex:
    """One snapshot and its layers, oldest first. Immutable, safe for any number of threads.

    Attributes:
        segments: those that are searched, by id.
        others: what further ones name, which is all that a shard has to know of them.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        segments: Mapping[str, Layer],
        tail: Layer,
        others: Mapping[str, Names] = MappingProxyType({}),
        *,
        search_tail: bool = True,
    ) -> None:
        self.snapshot = snapshot
        self.segments = segments
        self.others = others
        known: dict[str, Layer | Names] = {**others, **segments}
        stack = [*(known[ref.id] for ref in snapshot.segments if ref.id in known), tail]
        naming: list[Naming] = [
            layer.columns if isinstance(layer, Layer) else layer for layer in stack
        ]
        self._layers = [
            (layer, naming[above:])
            for above, layer in enumerate(stack, start=1)
            if isinstance(layer, Layer) and (search_tail or layer is not tail)
        ]
        self._banks = {bank.id: bank for bank in snapshot.banks}

    @property
    def state(self) -> IndexState:
        """What it answers from."""
        snapshot = self.snapshot
        return IndexState(
            snapshot.number, snapshot.writer, snapshot.created_at, snapshot.enabled_ratio
        )

    def search(
        self, signals: Sequence[str], threshold: int | None = None, most_hits: int | None = None
    ) -> list[list[ContentMatch]]:
        """For each validated signal every content within the threshold, nearest first, each once.

        Nothing while the signal type is switched off.

        Args:
            threshold: a stricter one than the signal type's, where distances are bits.
            most_hits: rows that are looked at; no number of them is too large if None.

        Raises:
            LongSearch: more rows than that are near.

        The newest layer that names a content decides about it, so rows of older layers are
        dropped when a later one names their content.
        """
        if self.snapshot.enabled_ratio == 0:
            return [[] for _ in signals]
        limit = self.snapshot.threshold
        limit = limit if threshold is None else min(limit, threshold)
        by_layer = [layer.search(signals, limit) for layer, _ in self._layers]
        hits_in_all = sum(len(rows) for hits in by_layer for rows, _ in hits)
        if most_hits is not None and hits_in_all > most_hits:
            raise LongSearch(f"{hits_in_all} rows are near")
        return [self._matches([hits[at] for hits in by_layer], limit) for at in range(len(signals))]

    def _matches(self, by_layer: Sequence[tuple[Ids, Hits]], threshold: int) -> list[ContentMatch]:
        best: dict[int, tuple[float, str, Columns, int]] = {}
        for (layer, later), (positions, hits) in zip(self._layers, by_layer, strict=True):
            if len(positions) == 0:
                continue
            columns = layer.columns
            ids = columns.ids[positions]
            hidden = columns.hidden_by(later, ids)
            for row in np.flatnonzero(~hidden).tolist():
                content_id, distance = int(ids[row]), float(hits.distances[row])
                if content_id not in best or distance < best[content_id][0]:
                    best[content_id] = (distance, hits.texts[row], columns, int(positions[row]))
        nearest = sorted(best.items(), key=lambda item: (item[1][0], item[0]))
        return [
            ContentMatch(
                content_id,
                bank,
                text,
                order,
                int(columns.until[at]),
                threshold=threshold,
                **{"metadata": None, "note": None} | columns.extra(at),
            )
            for content_id, (order, text, columns, at) in nearest
            if (bank := self._banks.get(int(columns.banks[at])))
        ]

    def size(self) -> int:
        """Number of live contents."""
        return sum(int((~layer.columns.hidden_by(later)).sum()) for layer, later in self._layers)
