"""How matches are answered: one object each, by bank, and the snapshot that they come from."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from core.index.reading.lookup_index import ContentMatch
from core.matching.lookup import Lookup
from functions.web.answer import Hashes, at


class Match(TypedDict):
    bank_content_id: int
    distance: str
    variant: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    note: NotRequired[str]
    labels: NotRequired[list[str]]


Matches = dict[str, list[Match]]
"""Match objects by bank."""

MatchesByType = dict[str, Matches]


class RawMatches(TypedDict):
    matches: list[int | Match]


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


def match_object(match: ContentMatch, *, extras: bool) -> Match:
    """What is known of a match goes inside its object: clients read the keys above as banks.

    Args:
        extras: whether metadata, note and labels are in it, where there are some.
    """
    answer: Match = {"bank_content_id": match.content_id, "distance": match.distance}
    if match.variant is not None:
        answer["variant"] = match.variant
    if extras and match.metadata:
        answer["metadata"] = match.metadata
    if extras and match.note:
        answer["note"] = match.note
    if extras and match.labels:
        answer["labels"] = list(match.labels)
    return answer


def matches_by_bank(matches: Sequence[ContentMatch], *, extras: bool) -> Matches:
    """Match objects by bank, in the order of `matches`."""
    grouped: Matches = {}
    for match in matches:
        grouped.setdefault(match.bank.name, []).append(match_object(match, extras=extras))
    return grouped


def matches_by_type(lookups: Mapping[str, Lookup], *, extras: bool) -> MatchesByType:
    """Match objects by signal type and bank, of lookups of one signal each."""
    return {
        name: matches_by_bank(lookup.matches[0], extras=extras) for name, lookup in lookups.items()
    }


def snapshot_header(lookups: Mapping[str, Lookup]) -> dict[str, str]:
    """The headers that name the snapshot of each signal type's lookup, and what is left of it."""
    snapshots = at({name: lookup.state.number for name, lookup in lookups.items()})
    return snapshots | matches_left(lookups)


def matches_left(lookups: Mapping[str, Lookup]) -> dict[str, str]:
    """The header of an answer that does not have all matches: how many come after, by type."""
    left = {name: lookup.left for name, lookup in lookups.items() if lookup.left}
    text = ", ".join(f"{name}={count}" for name, count in sorted(left.items()))
    return {"X-HMA-Matches-Left": text} if left else {}
