"""What the fields of content may hold that no file of their own is about: a note, a time."""

import time
from enum import Enum
from typing import Any, Literal

from core.catalog.models import NOTE_LENGTH
from core.catalog.text import storable
from core.errors import BadInput

FIVE_YEARS = 5 * 365 * 24 * 3600


class Unset(Enum):
    """The type of `UNSET`, which leaves a field as it is where None would clear it."""

    UNSET = "unset"


UNSET: Literal[Unset.UNSET] = Unset.UNSET


def checked_note(note: Any) -> str | None:
    """A note that can be kept; "" is none. Raises BadInput."""
    if note is None or note == "":
        return None
    if not isinstance(note, str):
        raise BadInput("note should be a string")
    if len(note) > NOTE_LENGTH:
        raise BadInput(f"note must be at most {NOTE_LENGTH} characters")
    if not storable(note):
        raise BadInput("note must be UTF-8 without NUL")
    return note


def checked_time(disable_until_ts: Any) -> int:
    """A time until which content may be disabled, 0 or 1. Raises BadInput."""
    try:
        if isinstance(disable_until_ts, bool | float):
            raise TypeError
        ts = int(disable_until_ts)
    except (TypeError, ValueError) as error:
        raise BadInput(f"Invalid int: {disable_until_ts!r}") from error
    if ts < 0:
        raise BadInput("disable_until_ts must be a non-negative integer")
    if ts > time.time() + FIVE_YEARS:
        raise BadInput("disable_until_ts must be less than 5 years in the future")
    return ts
