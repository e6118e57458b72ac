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
| others | the signals of the rows, as their kind stores them |
"""

from collections.abc import Mapping, Sequence
from typing import Any

from threatexchange.signal_type.signal_base import SignalType

from core.index.layers.arrays import Buffer, open_integers
from core.index.layers.columns import Columns, Ids
from core.index.layers.hits import Hits, SearchedByPostings
from core.index.layers.kind import LayerKind
from core.index.layers.packed import Texts


class Layer:
    """A layer opened for search, over mapped files or bytes in memory."""

    def __init__(
        self, kind: LayerKind[Any], signal_type: type[SignalType], files: Mapping[str, Buffer]
    ) -> None:
        self._signals = kind.open(files, signal_type)
        self.columns = Columns(
            kind,
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
        return isinstance(self._signals, SearchedByPostings) and self._signals.has_postings

    def add_postings(self, source: Buffer) -> None:
        """Search faster from now on, where the kind has postings."""
        if isinstance(self._signals, SearchedByPostings):
            self._signals.add_postings(source)

    def search(self, signals: Sequence[str], threshold: int) -> list[tuple[Ids, Hits]]:
        """For each signal the matching rows, and before them the position of each's content."""
        return [
            (self.columns.owners[hits.rows], hits)
            for hits in self._signals.search(signals, threshold)
        ]
