"""Deadlines of a fetch, in seconds of `time.monotonic`: how much of one is left."""

import time


def seconds_left(deadline: float) -> float:
    """Seconds until `deadline`, which has not passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
