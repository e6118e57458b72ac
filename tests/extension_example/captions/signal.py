import re
from typing import TypeVar

from threatexchange.content_type.content_base import ContentType
from threatexchange.signal_type.index import (
    IndexMatch,
    SignalSimilarityInfoWithIntDistance,
    SignalTypeIndex,
)
from threatexchange.signal_type.signal_base import (
    SignalComparisonResult,
    SignalType,
    TextHasher,
)

from .content import CaptionContent

T = TypeVar("T")

FEWEST_WORDS = 3
MOST_CHANGED = 2


class CaptionWordsSignal(SignalType, TextHasher):  # type: ignore[misc]
    """The different words of a caption in alphabetical order, with spaces between them."""

    @classmethod
    def get_content_types(cls) -> list[type[ContentType]]:
        return [CaptionContent]

    @classmethod
    def get_index_cls(cls) -> type[SignalTypeIndex]:
        return CaptionIndex

    @classmethod
    def validate_signal_str(cls, signal_str: str) -> str:
        words = signal_str.split()
        if not all(re.fullmatch(r"[a-z]+", word) for word in words):
            raise ValueError("captions are words in small letters")
        return " ".join(sorted(set(words)))

    @classmethod
    def hash_from_str(cls, text: str) -> str:
        words = sorted(set(re.findall(r"[a-z]+", text.lower())))
        return " ".join(words) if len(words) >= FEWEST_WORDS else ""

    @classmethod
    def compare_hash(cls, hash1: str, hash2: str) -> SignalComparisonResult:
        return SignalComparisonResult.from_simple_dist(changed(hash1, hash2), MOST_CHANGED)

    @staticmethod
    def get_examples() -> list[str]:
        return ["a cat mat on sat the"]


class CaptionIndex(SignalTypeIndex[T]):  # type: ignore[misc]
    """Captions by each of their words, so that a query reads only those that share one."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, T]] = []
        self.with_word: dict[str, list[int]] = {}

    def add(self, signal_str: str, entry: T) -> None:
        for word in signal_str.split():
            self.with_word.setdefault(word, []).append(len(self.entries))
        self.entries.append((signal_str, entry))

    def query(self, query: str) -> list[IndexMatch[T]]:
        sharing = {row for word in query.split() for row in self.with_word.get(word, [])}
        found = []
        for row in sorted(sharing):
            signal, entry = self.entries[row]
            distance = changed(signal, query)
            if distance <= MOST_CHANGED:
                found.append(IndexMatch(SignalSimilarityInfoWithIntDistance(distance), entry))
        return found


def changed(one: str, other: str) -> int:
    """How many words are in only one of two captions."""
    return len(set(one.split()) ^ set(other.split()))
