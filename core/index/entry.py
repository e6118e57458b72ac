"""What the index says of one content, and where a publisher gets that from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

ENABLED = 1
"""`disable_until_ts` of content that matches; 0 never does, any other value is a Unix time."""

BANKS = 0
"""The content id of the mark that says: some bank itself has changed (real ids begin at 1)."""


@dataclass(frozen=True)
class Entry:
    """One content as the index of one signal type sees it.

    Attributes:
        content_id: the `bank_content_id` of answers.
        bank_id: the bank it is in.
        signals: its normalised signals of this type, at least one.
        disable_until_ts: 1 enabled, 0 disabled, else disabled until that Unix time.
        metadata: as curated, or None.
        note: as curated, or None.
        labels: as curated, ascending.
    """

    content_id: int
    bank_id: int
    signals: tuple[str, ...]
    disable_until_ts: int = ENABLED
    metadata: dict[str, Any] | None = None
    note: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexedBank:
    """A bank as answers name it, and how it matches.

    Attributes:
        enabled_ratio: the share of lookups that it takes part in.
        allow_list: what matches here is known to be harmless: no other bank's match counts then.
        thresholds: by signal type the largest distance that matches, where it is not the type's.
    """

    id: int
    name: str
    enabled_ratio: float
    allow_list: bool = False
    thresholds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """A content (or, with id `BANKS`, the list of banks) whose change awaits publication.

    Attributes:
        version: unique to the change that made it, so that clearing it can never take along
            a later one.
    """

    content_id: int
    version: str


class Source(Protocol):
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
