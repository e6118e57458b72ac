"""Keeping segments few: small ones are merged into larger ones, tier by tier.

A merge takes the newest segments as long as the next older one is not much larger than they are
together, so a signal is rewritten a few times in its life and ten million contents stand in
about ten segments. Whoever publishes a change merges only little ones, so that its cost follows
the change; the scheduled publisher merges the rest.
"""

from collections.abc import Iterable, Sequence

from core.index.objects.snapshot import SegmentRef

TIER_RATIO = 4
"""A neighbour is merged if it is at most this many times what is merged so far."""

LITTLE_BYTES = 256 << 10
"""What a merge on the way of a request may write, and every reader fetch: some 3,000 hashes."""

SMALL = 100_000
"""Contents of a segment that only publishing makes: a rebuild makes larger ones."""

MANY = 64
"""Small segments that a snapshot may name, 80 KB of it, before whoever publishes merges without
limit: the schedule does so long before, where there is one."""

LARGEST = 32_000_000
"""Contents in one segment: its merge has to fit in memory, and rows are numbered in 32 bits."""


def run_to_merge(sizes: Sequence[int], most: int) -> tuple[int, int]:
    """`(start, end)` of the segments to merge, given the contents of each, oldest first.

    The newest run in which every segment but the oldest is smaller than `TIER_RATIO` times those
    after it, and which has at most `most` contents in all; shorter than two if there is none.
    """
    for end in range(len(sizes), 1, -1):
        start, size = end - 1, sizes[end - 1]
        while start and sizes[start - 1] <= TIER_RATIO * size and sizes[start - 1] + size <= most:
            start -= 1
            size += sizes[start]
        if end - start >= 2:
            return start, end
    return 0, 0


def is_crowded(sizes: Iterable[int]) -> bool:
    """Whether small segments are so many that merging cannot wait for the schedule."""
    return sum(size < SMALL for size in sizes) > MANY


def replace_run(
    segments: tuple[SegmentRef, ...],
    run: Sequence[SegmentRef],
    merged: tuple[SegmentRef, ...],
    settled: int = 0,
) -> tuple[SegmentRef, ...] | None:
    """`segments` with `merged` in place of `run`, or None if another publisher changed that.

    None as well if it is one of the first `settled`, for which a rebuild is under way.
    """
    ids = [segment.id for segment in segments]
    wanted = [segment.id for segment in run]
    start = ids.index(wanted[0]) if wanted and wanted[0] in ids else 0
    if ids[start : start + len(wanted)] != wanted or start < settled:
        return None
    return (*segments[:start], *merged, *segments[start + len(wanted) :])
