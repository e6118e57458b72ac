"""Which segments are whose: each has one shard, shares are even, and little ones move no other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.settings.shard import Shard


def segments(rows: list[int]) -> dict[str, int]:
    return {f"s{at}": count for at, count in enumerate(rows)}


@given(rows=st.lists(st.integers(0, 10**6), max_size=30), of=st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_every_segment_has_one_shard_and_shares_are_even(rows: list[int], of: int) -> None:
    """Nothing is left out or doubled, and no two shares differ by more than one segment does."""
    all_rows = segments(rows)
    shares = [Shard(number, of).own(all_rows) for number in range(1, of + 1)]
    assert sorted(id_ for share in shares for id_ in share) == sorted(all_rows)
    sums = [sum(all_rows[id_] for id_ in share) for share in shares]
    assert max(sums) - min(sums) <= max(rows, default=0)


@given(rows=st.lists(st.integers(100, 10**6), max_size=20), of=st.integers(1, 9), data=st.data())
@settings(max_examples=100, deadline=None)
def test_little_segments_move_no_large_one(rows: list[int], of: int, data: st.DataObject) -> None:
    """What a change appends goes somewhere; what is loaded already stays where it is."""
    little = data.draw(st.lists(st.integers(0, 99), max_size=10))
    before, after = segments(rows), segments(rows + little)
    for number in range(1, of + 1):
        shard = Shard(number, of)
        assert shard.own(before) == shard.own(after) & before.keys()


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1", "/", "1/4/2", "-1/4", "1/9²", ""])
def test_what_is_no_shard(text: str) -> None:
    """It is refused, with a word on what one is."""
    with pytest.raises(ValueError, match="shard"):
        Shard.parse(text)
