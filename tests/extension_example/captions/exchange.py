"""Captions that others collect, from a feed on the web: a line each, new ones at its end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from threatexchange.exchanges import fetch_state as state
from threatexchange.exchanges.collab_config import CollaborationConfigWithDefaults
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI
from threatexchange.signal_type.signal_base import SignalType

from .signal import CaptionWordsSignal

LINES_AT_ONCE = 2


@dataclass
class _Required:
    feed: str = field(metadata={"help": "address of the feed"})


@dataclass
class FeedConfig(CollaborationConfigWithDefaults, _Required):  # type: ignore[misc]
    """Which feed."""


@dataclass
class FeedCheckpoint(state.FetchCheckpointBase):  # type: ignore[misc]
    """How many of its lines have been read."""

    lines: int = 0


@dataclass
class Caption(state.FetchedSignalMetadata):  # type: ignore[misc]
    """A caption as it was published."""

    text: str = ""


class CaptionFeedAPI(SignalExchangeAPI):  # type: ignore[misc]
    """`+ KEY CAPTION` publishes a caption under a key, `- KEY` withdraws it."""

    def __init__(self, feed: str) -> None:
        self.feed = feed

    @classmethod
    def for_collab(cls, collab: FeedConfig) -> "CaptionFeedAPI":
        return cls(collab.feed)

    @staticmethod
    def get_config_cls() -> type[FeedConfig]:
        return FeedConfig

    @staticmethod
    def get_checkpoint_cls() -> type[FeedCheckpoint]:
        return FeedCheckpoint

    @staticmethod
    def get_record_cls() -> type[Caption]:
        return Caption

    def fetch_iter(
        self, _types: Sequence[type[SignalType]], checkpoint: FeedCheckpoint | None
    ) -> Iterator[Any]:
        answer = requests.get(self.feed, timeout=10)
        answer.raise_for_status()
        lines = answer.text.splitlines()
        read = checkpoint.lines if checkpoint else 0
        while read < len(lines):
            some = lines[read : read + LINES_AT_ONCE]
            read += len(some)
            words = [line.split(" ", 2) for line in some]
            updates = {w[1]: Caption(w[2]) if w[0] == "+" else None for w in words}
            yield state.FetchDelta(updates, FeedCheckpoint(read))

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        collab: FeedConfig,
        fetched: Mapping[str, Caption],
    ) -> dict[type[SignalType], dict[str, Caption]]:
        if CaptionWordsSignal not in signal_types:
            return {}
        signals = {CaptionWordsSignal.hash_from_str(one.text): one for one in fetched.values()}
        return {CaptionWordsSignal: {signal: one for signal, one in signals.items() if signal}}
