"""The shapes of answers, for OpenAPI and for the type checker alike.

Typed dictionaries, because a key that need not be there is left out rather than null.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict

Hashes = dict[str, str]
"""Signals by signal type."""

Numbers = dict[str, int]
"""Snapshot numbers by signal type."""


class Match(TypedDict):
    bank_content_id: int
    distance: str
    metadata: NotRequired[dict[str, Any]]
    note: NotRequired[str]
    labels: NotRequired[list[str]]


class RawMatches(TypedDict):
    matches: list[int | Match]


Matches = dict[str, list[Match]]
"""Match objects by bank."""

MatchesByType = dict[str, Matches]


class HashesAndMatches(TypedDict):
    hashes: Hashes
    matches: MatchesByType


class Searched(TypedDict):
    matches: Matches


class Refused(TypedDict):
    error: str


class Batch(TypedDict):
    results: list[Searched | Refused]


class IndexStatus(TypedDict):
    built_to: int
    present: bool
    size: int


class Bank(TypedDict):
    matching_enabled_ratio: float
    name: str
    allow_list: NotRequired[bool]
    thresholds: NotRequired[dict[str, int]]


class Done(TypedDict):
    message: str


class Deleted(TypedDict):
    deleted: int


class Banked(TypedDict):
    id: int
    signals: Hashes


class Content(TypedDict):
    bank: Bank
    disable_until_ts: int
    id: int
    original_media_uri: str | None
    labels: NotRequired[list[str]]


class ShownContent(Content):
    signals: NotRequired[Hashes]
    note: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]


class ChangedContent(Content):
    collab_metadata: dict[str, Any]
    note: str | None
    user_metadata: dict[str, Any] | None


class ListedContent(Content):
    signals: Hashes
    note: str | None
    metadata: dict[str, Any] | None
    distance: NotRequired[str]


class Contents(TypedDict):
    contents: list[ListedContent]
    next: int | None


class Counts(TypedDict):
    contents: int
    disabled: int
    signals: dict[str, int]


class FoundMatch(TypedDict):
    content_id: int
    distance: str
    signal_type: str
    signal_value: str


class QueryMatch(FoundMatch):
    bank_name: str
    metadata: NotRequired[dict[str, Any]]
    note: NotRequired[str]


class Queried(TypedDict):
    banks: list[str]
    hashes: Hashes
    matches: list[QueryMatch]


class Found(TypedDict):
    bank_name: str
    content_ids: list[int]
    matches: list[FoundMatch]
