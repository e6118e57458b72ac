"""What a variant of a query is: known to lookups, which need not be able to make one."""

from collections.abc import Collection
from dataclasses import dataclass

from core.errors import BadInput

KINDS = ("orientation", "margin", "rotation", "edge", "contrast", "frame")
"""What a query may be hashed as besides itself."""


@dataclass(frozen=True)
class Variant:
    """A hash of what a picture may have been.

    Attributes:
        kind: one of `KINDS`.
        name: as matches say it: which orientation it was (`mirror`, `turn90`, …), which frame
            (`frame 2`), the kind, or two of them (`margin, mirror`).
    """

    kind: str
    name: str
    hash: str


def select_variants(names: Collection[str]) -> tuple[str, ...]:
    """The kinds that are named, or every kind for `all`.

    Raises:
        BadInput: there is no such kind.
    """
    for name in names:
        if name != "all" and name not in KINDS:
            raise BadInput(f"no such variant '{name}': there are {', '.join(KINDS)} and all")
    return KINDS if "all" in names else tuple(kind for kind in KINDS if kind in names)
