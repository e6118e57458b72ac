"""Whether both sides say the same: content by content, and counted by bank and signal type."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Literal, TypeVar

from core.catalog.transfer.content_state import ContentState
from core.transfer.problem import Problem

A = TypeVar("A")
B = TypeVar("B")


class LeftOut(Enum):
    """The type of `LEFT_OUT`, which stands for content there that cannot be here."""

    LEFT_OUT = "left out"


LEFT_OUT: Literal[LeftOut.LEFT_OUT] = LeftOut.LEFT_OUT

There = ContentState | Literal[LeftOut.LEFT_OUT]


@dataclass(frozen=True)
class CountRow:
    """How many of one bank and signal type there are on either side.

    Attributes:
        bank: None where content in HMA is in no bank.
        signal_type: None in the row that counts contents.
        there: in HMA.
        here: of those that were moved, here.
        made_here: others here, banked by hand or fetched from an exchange.
    """

    bank: str | None
    signal_type: str | None
    there: int
    here: int
    made_here: int

    @property
    def same(self) -> bool:
        return self.there == self.here


def count_rows(
    there: Mapping[tuple[str | None, str | None], int],
    here: Mapping[tuple[str | None, str | None], tuple[int, int]],
) -> list[CountRow]:
    """The counts of both sides side by side, by bank, its contents before its signals."""
    keys = sorted({*there, *here}, key=lambda key: (key[0] or "", key[1] or ""))
    return [CountRow(*key, there.get(key, 0), *here.get(key, (0, 0))) for key in keys]


def find_differences(
    there: Iterable[tuple[int, There]], here: Iterable[ContentState]
) -> Iterator[Problem]:
    """Each content that is not the same on both sides, by ascending id.

    What can't be here has been told already, and is passed over.
    """
    ours = ((state.id or 0, state) for state in here)
    for content_id, left, right in side_by_side(there, ours):
        what = f"content {content_id}"
        if left is None:
            yield Problem(what, "differs: it is here, and not in HMA")
        elif left is LEFT_OUT:
            continue
        elif right is None:
            yield Problem(what, "differs: it is in HMA, and not here")
        elif left.digest != right.digest:
            names = [
                field.name
                for field in fields(ContentState)
                if field.name != "labels"
                and getattr(left, field.name) != getattr(right, field.name)
            ]
            yield Problem(what, f"differs in {', '.join(names)}")


def side_by_side(
    left: Iterable[tuple[int, A]], right: Iterable[tuple[int, B]]
) -> Iterator[tuple[int, A | None, B | None]]:
    """Two streams of ascending ids as one, each id once, with what either side has of it."""
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(lefts, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(rights, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(lefts, None), next(rights, None)
