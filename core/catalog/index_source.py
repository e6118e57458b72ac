"""The catalog as publishers see it: one object that is `core.index.source.CatalogSource`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.catalog.bank import Banks
from core.catalog.entries import Entries
from core.catalog.lease import Leases
from core.catalog.marks import Marks
from core.catalog.signal_type import SignalTypeRatios
from core.index.entry import Entry, IndexedBank, Mark


@dataclass(frozen=True)
class IndexSource:
    """What of a catalog a publisher works with, under the names that the index has for it.

    Each method is what its Protocol says, and does what the noun behind it says.
    """

    _banks: Banks
    _signal_types: SignalTypeRatios
    _marks: Marks
    _entries: Entries
    _leases: Leases

    def marks(self, signal_type: str, limit: int, ids: range | None = None) -> list[Mark]:
        return self._marks.pending(signal_type, limit, ids)

    def clear(self, signal_type: str, marks: Sequence[Mark]) -> None:
        self._marks.clear(signal_type, marks)

    def entries(self, signal_type: str, content_ids: Sequence[int]) -> Iterator[Entry]:
        return self._entries.read(signal_type, content_ids)

    def all_entries(self, signal_type: str, within: range | None = None) -> Iterator[Entry]:
        return self._entries.every(signal_type, within)

    def following(self, signal_type: str, start: int) -> int | None:
        return self._entries.following(signal_type, start)

    def banks(self) -> list[IndexedBank]:
        return self._banks.indexed()

    def enabled_ratio(self, signal_type: str) -> float:
        return self._signal_types.ratio(signal_type)

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        return self._leases.take(name, holder, seconds)

    def leased_to(self, name: str) -> str | None:
        return self._leases.holder(name)
