"""What a file says of banks and content, whatever form it has."""

from dataclasses import dataclass, field
from typing import Any

from core.errors import BadInput
from core.index.entry import ENABLED


@dataclass(frozen=True)
class BankLine:
    """A bank. Content that follows names it; the thresholds have not been checked yet."""

    bank: str
    enabled_ratio: float = 1.0
    allow_list: bool = False
    thresholds: Any = field(default=None, hash=False)


@dataclass(frozen=True)
class ContentLine:
    """A content, none of which has been checked yet.

    Attributes:
        bank: the bank it is in, None where the file doesn't say.
        id: its id where it comes from, None where the file doesn't say.
        signals: pairs of type and signal.
    """

    bank: str | None
    id: int | None
    signals: tuple[tuple[str, str], ...]
    disable_until_ts: Any = ENABLED
    uri: Any = None
    metadata: Any = field(default=None, hash=False)
    note: Any = None
    labels: Any = field(default=None, hash=False)


Line = BankLine | ContentLine

Numbered = tuple[int, Line | BadInput]
"""What stands in a line of a file, by its number from 1, or why it can't be read."""
