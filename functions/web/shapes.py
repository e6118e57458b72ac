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


class Bank(TypedDict):
    matching_enabled_ratio: float
    name: str
    allow_list: NotRequired[bool]
    crops: NotRequired[bool]
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
    crops: NotRequired[int]


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


class Authentication(TypedDict):
    has_set_authentification: bool
    supports_authentification: bool


class Field(TypedDict):
    name: str
    type: str
    required: bool
    default: Any
    help: str | None
    choices: list[Any] | None


class Fields(TypedDict):
    fields: list[Field]


class ApiSchema(TypedDict):
    config_schema: Fields
    credentials_schema: Fields | None


class ExchangeConfig(TypedDict):
    """And what the exchange's API asks for, under the names that it gives it."""

    api: str
    enabled: bool
    name: str


class ExchangeStatus(TypedDict):
    checkpoint_ts: int | None
    fetched_items: int
    last_fetch_complete_ts: int | None
    last_fetch_succeeded: bool | None
    running_fetch_start_ts: int | None
    up_to_date: bool


class ExchangeProgress(TypedDict):
    enabled: bool
    fetch: dict[str, Any]
    fetched: dict[str, Any]
    opinions: dict[str, Any]
    ready: bool
    report_opinions: bool
    unpublished: int


class PoisonedRecord(TypedDict):
    key: str
    reason: str
    record: Any


class Poisoned(TypedDict):
    following: int | None
    records: list[PoisonedRecord]


class Opinion(TypedDict):
    id: int
    record_key: str
    opinion: str
    state: str
    attempts: int
    next_try_ts: int
    error: str | None


class SignalTypeRatio(TypedDict):
    enabled_ratio: float
    name: str


class ContentTypeSwitch(TypedDict):
    enabled: bool
    name: str


class IndexAge(TypedDict):
    db_size: int
    index_built_to: int
    index_out_of_date: bool
    index_size: int
    newest_db_item: int


class Fetched(TypedDict):
    exchanges: dict[str, dict[str, Any]]
    opinions: dict[str, dict[str, int]]
