"""What could not be moved as it is: never lost silently, never in the way of the rest."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is not here as it is there.

    Attributes:
        what: the row or line, as people find it again: `content 17`, `line 3`.
        why: the reason, and what became of it.
    """

    what: str
    why: str


Report = Callable[[Problem], None]
"""Is told of each problem as soon as it is found: a million of them must not pile up."""
