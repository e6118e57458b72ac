"""Videos are found as threatexchange's index finds them, wherever their frames are stored."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.hashing import vpdq
from core.index.entry import Entry
from core.index.layers.columns import Columns
from core.index.layers.frames import Frames, FramesKind
from core.index.layers.layer import Layer
from core.index.layers.postings import write_postings
from core.index.objects import segment
from core.signal_types.vpdq import VpdqSignal
from tests.core.hashing.test_vpdq import near_each_other, one_of
from tests.deployment import Deployment, altered, random_signal, settings_for
from tests.their_vpdq import VPDQIndex

FRAMES = FramesKind()


def opened(columns: Columns) -> Layer:
    return Layer(FRAMES, VpdqSignal, columns.files())


def with_postings(columns: Columns, folder: Path) -> Layer:
    layer = opened(columns)
    assert isinstance(columns.signals, Frames)
    path = folder / "postings"
    write_postings(columns.signals.codes.bits, path)
    layer.add_postings(path)
    assert layer.has_postings
    return layer


def found(layer: Layer, query: str) -> dict[int, str]:
    """Content ids with the answer's distance."""
    ((positions, hits),) = layer.search([query], 31)
    assert len(set(positions.tolist())) == len(positions)
    return dict(zip(layer.columns.ids[positions].tolist(), hits.texts, strict=True))


def theirs(videos: dict[int, str], query: str) -> dict[int, str]:
    index = VPDQIndex.build((signal, id_) for id_, signal in videos.items())
    return {match.metadata: match.similarity_info.pretty_str() for match in index.query(query)}


@pytest.mark.parametrize("how", ["scan", "postings"])
@given(seed=st.integers(0, 2**32), size=st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_search_equals_threatexchange(
    how: str, seed: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random videos that share frames and near frames: its matches and percentages, no others."""
    rng = random.Random(seed)
    hashes = near_each_other(rng, 20)
    videos = {number: one_of(rng, hashes) for number in range(1, size + 1)}
    columns = Columns.of(FRAMES, [Entry(id_, 1, (one,)) for id_, one in videos.items()])
    if how == "postings":
        layer = with_postings(columns, tmp_path_factory.mktemp("postings"))
    else:
        layer = opened(columns)
    for query in [one_of(rng, hashes) for _ in range(5)] + list(videos.values()):
        assert found(layer, query) == theirs(videos, query)


def video(hashes: list[str]) -> str:
    return json.dumps([f"{one},100,{float(at):.3}" for at, one in enumerate(hashes)])


def test_a_content_with_several_videos_is_matched_by_each_alone() -> None:
    """Half of the query in one and half in another of its videos is no match."""
    rng = random.Random(5)
    hashes = [random_signal(rng) for _ in range(8)]
    layer = opened(Columns.of(FRAMES, [Entry(7, 1, (video(hashes[:4]), video(hashes[4:])))]))
    assert found(layer, video(hashes)) == {}
    assert found(layer, video(hashes[4:])) == {7: "100%[100%]"}


def test_the_edge_of_the_rule() -> None:
    """Four frames of five are 80 %; 31 bits of a frame match and 32 do not."""
    rng = random.Random(6)
    hashes = [random_signal(rng) for _ in range(5)]
    layer = opened(Columns.of(FRAMES, [Entry(1, 1, (video(hashes),))]))
    near = [altered(rng, one, 31) for one in hashes]
    assert found(layer, video(near)) == {1: "100%[100%]"}
    far = [altered(rng, one, 32) for one in hashes]
    assert found(layer, video([*near[:4], far[4]])) == {1: "80%[80%]"}
    assert found(layer, video([*near[:3], *far[3:]])) == {}
    assert found(layer, video(near[:1])) == {1: "100%[20%]"}


def test_layers_merge(tmp_path: Path) -> None:
    """Videos of several layers, changed and removed ones among them, are one layer's."""
    rng = random.Random(7)
    hashes = near_each_other(rng, 30)
    old = {number: one_of(rng, hashes) for number in range(1, 30)}
    new = {number: one_of(rng, hashes) for number in range(20, 40)}
    merged = Columns.merge(
        [
            Columns.of(FRAMES, [Entry(id_, 1, (one,)) for id_, one in old.items()]),
            Columns.of(FRAMES, [Entry(id_, 1, (one,)) for id_, one in new.items()], [3, 4]),
        ],
        at_bottom=True,
    )
    expected = {id_: one for id_, one in (old | new).items() if id_ not in (3, 4)}
    assert [entry.content_id for entry in merged.entries()] == sorted(expected)
    for layer in opened(merged), with_postings(merged, tmp_path):
        for query in old.values():
            assert found(layer, query) == theirs(expected, query)


def test_published_in_segments_with_postings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through catalog, publisher, store and reader; a removed video is found no more."""
    monkeypatch.setattr(segment, "FEWEST_ROWS", 100)
    deployed = Deployment(settings_for(tmp_path, signal_types="vpdq", tail_entries=10))
    rng = random.Random(8)
    videos = [video([random_signal(rng) for _ in range(12)]) for _ in range(40)]
    ids = [deployed.add(one, signal_type="vpdq") for one in videos]
    deployed.publisher.publish("vpdq")
    (stored,) = deployed.newest("vpdq").segments
    assert (stored.kind, "postings" in stored.files) == ("frames", True)
    assert [deployed.matching(one, "vpdq") for one in videos] == [[id_] for id_ in ids]
    deployed.catalog.contents.delete("KNOWN", ids[3])
    deployed.publisher.publish("vpdq")
    assert deployed.matching(videos[3], "vpdq") == []
    assert deployed.matching(videos[4], "vpdq") == [ids[4]]


def test_the_best_match_comes_first(tmp_path: Path) -> None:
    """More of the query, then more of the video."""
    rng = random.Random(9)
    hashes = [random_signal(rng) for _ in range(10)]
    deployed = Deployment(settings_for(tmp_path, signal_types="vpdq"))
    least = deployed.add(video(hashes[:8]), signal_type="vpdq")
    long = deployed.add(video(hashes + [random_signal(rng) for _ in range(10)]), signal_type="vpdq")
    whole = deployed.add(video(hashes), signal_type="vpdq")
    deployed.publisher.publish("vpdq")
    assert deployed.matching(video(hashes), "vpdq") == [whole, long, least]


def test_packing_keeps_each_counting_frame_once() -> None:
    """Equal frames are one, poor ones none; the text given back matches as the original."""
    rng = random.Random(10)
    a, b = random_signal(rng), random_signal(rng)
    signal = json.dumps([f"{a},100,0.0", f"{b},50,1.0", f"{a},60,2.0", f"{'0' * 64},49,3.0"])
    packed = Frames.pack([signal, video([b])])
    assert np.array_equal(packed.starts, [0, 2, 3])
    assert vpdq.read_hashes(packed[0]) == [a, b]
    assert vpdq.normalise_signal(packed[0]) == packed[0]
