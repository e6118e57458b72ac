"""What lookups ask of an index and what it answers, whether it is here or held in shares elsewhere.

Knows neither how signals are searched nor where they are kept, so that a router needs no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.index.entry import IndexedBank


@dataclass(frozen=True)
class Found:
    """A live content near the signal asked for, with its nearest distance.

    Attributes:
        distance: as text, `"-"` for signal types without one.
        order: a number that sorts as distances do.
    """

    content_id: int
    bank: IndexedBank
    distance: str
    order: float
    disable_until_ts: int
    metadata: dict[str, Any] | None
    note: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """The snapshot that an index answers from.

    Attributes:
        number, writer: which one; the number alone may stand in several stores.
        created_at: Unix time by the publisher's clock.
        enabled_ratio: 0 while the signal type is switched off.
    """

    number: int
    writer: str
    created_at: float
    enabled_ratio: float


@dataclass(frozen=True)
class Answer:
    """For each signal what is near it, nearest first, all from one snapshot."""

    state: State
    found: list[list[Found]]


class LookupIndex(Protocol):
    """The indices of one deployment, by the name of an enabled signal type.

    All but `due` raise `Unavailable` when nobody knows right now; asking again is safe.
    """

    def due(self, signal_type: str) -> bool:
        """Whether the next answer has to wait for somebody else."""
        ...

    def search(
        self,
        signal_type: str,
        signals: Sequence[str],
        threshold: int | None = None,
        min_snapshot: int | None = None,
    ) -> Answer:
        """The contents near each validated signal; none while the type is switched off.

        Args:
            threshold: a stricter one than the signal type's, where distances are bits.
            min_snapshot: number the caller has seen or was promised; older is no answer.
        """
        ...

    def state(self, signal_type: str) -> State:
        """The snapshot it answers from, looked at no longer than `refresh_seconds` ago."""
        ...

    def size(self, signal_type: str) -> int:
        """Number of live contents."""
        ...
