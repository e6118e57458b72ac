"""Snapshots survive the way through the store, and the newest is found from any start."""

import hashlib
import json
import random
from dataclasses import replace

import pytest

from core.errors import SegmentCorrupt
from core.index.entry import Entry, IndexedBank
from core.index.objects.layout import Layout
from core.index.objects.snapshot import (
    FileRef,
    SegmentRef,
    Snapshot,
    Tail,
    newest_snapshot,
    write_hint,
)
from tests.deployment import Deployment, random_signal


def snapshot(number: int, tail: Tail | None = None) -> Snapshot:
    return Snapshot(
        "pdq",
        number,
        writer="w",
        created_at=1.5,
        threshold=31,
        banks=(IndexedBank(1, "B", 0.5), IndexedBank(2, "C", 1.0, True, {"pdq": 3})),
        segments=(SegmentRef("id", "binary", 2, 3, {"codes": FileRef(4, "sha")}),),
        tail=tail or Tail(),
    )


def test_a_snapshot_survives_the_way_through_json() -> None:
    """Every field, with text of any language."""
    entry = Entry(3, 1, ("ab", "cd"), 0, {"json": {"é": "漢"}}, "note", ("a", "b"))
    one = snapshot(7, Tail((entry,), (1, 2)))
    assert Snapshot.from_bytes(one.to_bytes()) == one


def test_a_snapshot_of_an_earlier_version_is_read() -> None:
    """One without allow-lists, thresholds and labels means that there are none."""
    one = replace(snapshot(7, Tail((Entry(3, 1, ("ab",)),))), banks=(IndexedBank(1, "B", 0.5),))
    body = json.loads(one.to_bytes())["snapshot"]
    for bank in body["banks"]:
        del bank["allow_list"], bank["thresholds"]
    for entry in body["tail"]["held"]:
        del entry["labels"]
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    outer = {"sha256": hashlib.sha256(text).hexdigest(), "snapshot": body}
    assert Snapshot.from_bytes(json.dumps(outer).encode()) == one


def test_every_flipped_bit_of_a_snapshot_is_noticed() -> None:
    """No damaged snapshot is taken for a whole one (a change that means the same is none)."""
    one = snapshot(7, Tail((Entry(3, 1, ("ab",)),)))
    data = one.to_bytes()
    rng = random.Random(1)
    for bit in rng.sample(range(8 * len(data)), 500):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            assert Snapshot.from_bytes(bytes(damaged)) == one
        except SegmentCorrupt:
            continue


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b'{"snapshot":{}}'])
def test_anything_else_is_no_snapshot(data: bytes) -> None:
    """Empty, cut or foreign bytes are damage, not an index of nothing."""
    with pytest.raises(SegmentCorrupt):
        Snapshot.from_bytes(data)


def test_the_newest_is_found_whatever_the_hint_says(deployment: Deployment) -> None:
    """Right, old, missing, broken or pointing past the end: the hint is never trusted."""
    store = deployment.store
    for number in range(1, 13):
        store.create(Layout("pdq").snapshot(number), snapshot(number).to_bytes())
    hints = [json.dumps({"number": n}).encode() for n in (12, 3, 1, 0, -5, 99, "x", None)]
    for hint in [*hints, b"", b"[1]", b"\xff"]:
        store.put(Layout("pdq").hint, hint)
        found = newest_snapshot(store, Layout("pdq"))
        assert found is not None
        assert found.number == 12, hint
    store.delete(Layout("pdq").hint)
    for known in (None, snapshot(12), snapshot(4)):
        found = newest_snapshot(store, Layout("pdq"), known)
        assert found is not None
        assert found.number == 12


def test_no_snapshot_is_none_and_not_an_error(deployment: Deployment) -> None:
    """Also with a hint that points to one that is not there."""
    assert newest_snapshot(deployment.store, Layout("pdq")) is None
    write_hint(deployment.store, Layout("pdq"), 4)
    assert newest_snapshot(deployment.store, Layout("pdq")) is None


def test_a_tail_keeps_the_newest_word_on_each_content() -> None:
    """Added, changed, removed and added again, in any order of ids."""
    rng = random.Random(2)
    tail, expected = Tail(), dict[int, Entry | None]()
    for _ in range(200):
        ids = rng.sample(range(1, 20), 4)
        held = {i: Entry(i, 1, (random_signal(rng),)) for i in ids[:2]}
        tail = tail.then(held, frozenset(ids[2:]))
        expected |= held | dict.fromkeys(ids[2:])
        assert {e.content_id: e for e in tail.held} == {i: e for i, e in expected.items() if e}
        assert list(tail.removed) == sorted(i for i, e in expected.items() if e is None)
