"""An index that knows nothing but what marks tell it, as a publisher keeps one."""

from collections.abc import Sequence

from core.catalog import Catalog
from core.index.entry import Entry, Mark

TYPES = ("pdq", "video_md5")

Picture = dict[str, dict[int, tuple[Entry, str, float]]]
"""By signal type and content id: the entry, and the name and ratio of its bank."""


class Follower:
    """Follows a catalog by its marks alone; ends equal to it unless a mark was missing."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._entries: dict[str, dict[int, Entry]] = {name: {} for name in TYPES}
        self._banks: dict[str, dict[int, tuple[str, float]]] = {name: {} for name in TYPES}

    def take(self, limit: int = 1000) -> dict[str, Sequence[Mark]]:
        """Apply what has changed, and say which marks told so; they are still there."""
        return {name: self._take(name, limit) for name in TYPES}

    def clear(self, taken: dict[str, Sequence[Mark]], catalog: Catalog | None = None) -> None:
        """Clear the marks that were taken; through `catalog`, if it is to be another one."""
        for name, marks in taken.items():
            (catalog or self._catalog).marks.clear(name, marks)

    def publish(self, limit: int = 1000) -> int:
        """Take and clear; how many marks that were."""
        taken = self.take(limit)
        self.clear(taken)
        return sum(map(len, taken.values()))

    def picture(self) -> Picture:
        """What it would answer from: content whose bank it doesn't know is no answer."""
        return {
            name: {
                entry.content_id: (entry, *self._banks[name][entry.bank_id])
                for entry in self._entries[name].values()
                if entry.bank_id in self._banks[name]
            }
            for name in TYPES
        }

    def _take(self, name: str, limit: int) -> Sequence[Mark]:
        marks = self._catalog.marks.pending(name, limit)
        if marks:  # without one, a publisher reads nothing: what it holds has to be right
            entries = list(self._catalog.entries.read(name, [mark.content_id for mark in marks]))
            for mark in marks:
                self._entries[name].pop(mark.content_id, None)
            self._entries[name].update((entry.content_id, entry) for entry in entries)
            self._banks[name] = _banks(self._catalog)
        return marks


def picture(catalog: Catalog) -> Picture:
    """What the catalog holds, read in full."""
    banks = _banks(catalog)
    return {
        name: {
            entry.content_id: (entry, *banks[entry.bank_id])
            for entry in catalog.entries.every(name)
        }
        for name in TYPES
    }


def _banks(catalog: Catalog) -> dict[int, tuple[str, float]]:
    return {bank.id: (bank.name, bank.enabled_ratio) for bank in catalog.banks.indexed()}
