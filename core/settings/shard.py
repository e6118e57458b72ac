"""Which share of an index a shard holds: a function of the snapshot alone, the same everywhere.

A shard searches whole segments. Of the others it knows only which contents they name, because a
later layer hides what an earlier one says: so each content is answered by the one shard that has
its newest layer, and by no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """One of `of` shards, the first of which has number 1; as text `1/4`."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError(f"there is no shard {self}: of four they are 1/4, 2/4, 3/4 and 4/4")

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """From text as `str` gives it.

        Raises:
            ValueError: it is none.
        """
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and len(text) < 10):
            raise ValueError("a shard is its number and how many there are, as 1/4")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def has_tail(self) -> bool:
        """Whether it searches the changes that are inline in the snapshot: the first one does."""
        return self.number == 1

    def own(self, rows: Mapping[str, int]) -> frozenset[str]:
        """The ids of the segments that this shard searches, given the rows of all, oldest first.

        The one with the most rows is given out first, each to the shard that has fewest rows so
        far. Where a segment goes depends only on larger ones, so that the little ones that come
        and go with every change move no large one to another shard.

        Source: the longest-processing-time rule, Graham, "Bounds on Multiprocessing Timing
        Anomalies" (1969): the fullest shard has at most 4/3 of the best possible.
        """
        held = [0] * self.of
        own = set()
        for segment in sorted(rows, key=lambda one: -rows[one]):
            emptiest = held.index(min(held))
            held[emptiest] += rows[segment]
            if emptiest == self.number - 1:
                own.add(segment)
        return frozenset(own)
