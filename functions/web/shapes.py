"""The shapes of answers, for OpenAPI and for the type checker alike.

Typed dictionaries, because a key that need not be there is left out rather than null.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from functions.web.answer import Hashes


class Match(TypedDict):
    bank_content_id: int
    distance: str
    variant: NotRequired[str]
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
