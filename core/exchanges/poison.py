"""A record of an exchange that nobody can use."""

from dataclasses import dataclass

LONGEST_RAW = 1000


@dataclass(frozen=True)
class Poisoned:
    """Stands for a record, under its key in a delta's updates, that is set aside.

    Attributes:
        reason: what is wrong with it, in a sentence for whoever runs the server.
        raw: the record as it came, cut at `LONGEST_RAW` characters; empty if it is not ours to
            show.
        record: what is sound of it and is used all the same, None if nothing is.
    """

    reason: str
    raw: str
    record: object | None = None
