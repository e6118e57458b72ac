"""What an exchange says of its records, and what storing that has changed."""

from dataclasses import dataclass, field
from typing import Any

Signals = tuple[tuple[str, str], ...]
"""(signal type, normalised signal), sorted, each once."""


@dataclass(frozen=True)
class FetchedRecord:
    """What an exchange says of one of its records.

    Attributes:
        key: as text.
        record: as JSON.
        signals: what it means to us; without any there is no content.
        poison: why it could not be understood, or not all of it.
        gone: it has been withdrawn or deleted there.
    """

    key: str
    record: Any = None
    signals: Signals = ()
    poison: str | None = None
    gone: bool = False


@dataclass
class ContentChanges:
    """What storing records has changed.

    Attributes:
        added, changed, removed: contents.
        poisoned: records set aside.
        signal_types: whose index must learn of it.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    poisoned: int = 0
    signal_types: set[str] = field(default_factory=set)

    def also(self, other: "ContentChanges") -> None:
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed
        self.poisoned += other.poisoned
        self.signal_types |= other.signal_types
