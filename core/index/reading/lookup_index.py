"""What lookups ask of an index and what it answers, whether it is here or held in shares elsewhere.

Knows neither how signals are searched nor where they are kept, so that a router needs no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.index.entry import IndexedBank


@dataclass(frozen=True)
class ContentMatch:
    """A live content near a signal, with its nearest distance: all that tells why it matches.

    Attributes:
        content_id: the `bank_content_id` of answers.
        bank: as the snapshot has it.
        distance: as text, `"-"` for signal types without one.
        order: a number that sorts as distances do.
        disable_until_ts: 1 enabled, 0 disabled, else disabled until that Unix time.
        metadata, note, labels: as curated.
        threshold: the largest distance that would have matched, where distances are bits.
        variant: which variant of the picture is so near; None for the signal as it is.
    """

    content_id: int
    bank: IndexedBank
    distance: str
    order: float
    disable_until_ts: int
    metadata: dict[str, Any] | None
    note: str | None
    labels: tuple[str, ...]
    threshold: int
    variant: str | None = None


@dataclass(frozen=True)
class IndexState:
    """The snapshot that an index answers from.

    Attributes:
        number, writer: which one; the number alone may stand in several stores.
        created_at: Unix time by the publisher's clock.
        enabled_ratio: 0 while the signal type is switched off.
    """

    number: int
    writer: str
    created_at: float
    enabled_ratio: float


@dataclass(frozen=True)
class SearchResult:
    """For each signal the contents near it, nearest first, all from one snapshot."""

    state: IndexState
    matches: list[list[ContentMatch]]


class LookupIndex(Protocol):
    """The indices of one deployment, by the name of an enabled signal type.

    All but `due` raise `Unavailable` when nobody knows right now; asking again is safe.
    """

    def due(self, signal_type: str) -> bool:
        """Whether the next answer has to wait for a store or for shards."""
        ...

    def search(
        self,
        signal_type: str,
        signals: Sequence[str],
        threshold: int | None = None,
        min_snapshot: int | None = None,
        most_hits: int | None = None,
    ) -> SearchResult:
        """The contents near each validated signal; none while the type is switched off.

        Args:
            threshold: a stricter one than the signal type's, where distances are bits.
            min_snapshot: number the caller has seen or was promised; older is no answer.
            most_hits: `LongSearch` if more rows are near and it would take as long as a store.
        """
        ...

    def state(self, signal_type: str) -> IndexState:
        """The snapshot it answers from, looked at no longer than `refresh_seconds` ago."""
        ...

    def enabled_ratio(self, signal_type: str) -> float:
        """0 while the signal type is switched off. Takes much less than to load an index."""
        ...

    def size(self, signal_type: str) -> int:
        """Number of live contents."""
        ...
