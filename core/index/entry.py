"""What the index says of one content and of one bank, and the marks of what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
