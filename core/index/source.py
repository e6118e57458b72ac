"""Where a publisher gets contents, banks and changes from, and what keeps publishers apart."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from core.index.entry import Entry, IndexedBank, Mark


class CatalogSource(Protocol):
    """The catalog as a publisher sees it. Read the marks first, the state they mark after that."""

    def marks(self, signal_type: str, limit: int, ids: range | None = None) -> Sequence[Mark]:
        """Up to `limit` changes of this type that await publication, oldest content id first.

        Args:
            ids: only of content within these.
        """
        ...

    def entries(self, signal_type: str, content_ids: Sequence[int]) -> Iterable[Entry]:
        """The current state of those of `content_ids` that exist and have such signals."""
        ...

    def all_entries(self, signal_type: str, within: range | None = None) -> Iterator[Entry]:
        """Every content with such signals by ascending id, streamed in bounded memory.

        Args:
            within: only content of these ids.
        """
        ...

    def following(self, signal_type: str, start: int) -> int | None:
        """The smallest content id with such signals, from `start` on; None if there is none."""
        ...

    def banks(self) -> Sequence[IndexedBank]:
        """All banks, by id."""
        ...

    def enabled_ratio(self, signal_type: str) -> float:
        """0 while the type is switched off, which its snapshots then say."""
        ...

    def clear(self, signal_type: str, marks: Sequence[Mark]) -> None:
        """Forget those marks whose version is still the same. Safe to repeat."""
        ...

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew the lease `name` for `seconds`, 0 gives it back; False while another
        holder has it."""
        ...

    def leased_to(self, name: str) -> str | None:
        """Who has the lease `name` now, None if nobody has."""
        ...
