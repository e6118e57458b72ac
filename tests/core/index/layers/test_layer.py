"""A layer gives back what was put in, and finds what brute force finds."""

import random
import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.raw_text import RawTextSignal
from threatexchange.signal_type.signal_base import SignalType

from core.index.entry import Entry
from core.index.layers.columns import Columns
from core.index.layers.kinds import layer_kind
from core.index.layers.layer import Layer
from tests.deployment import altered, random_signal

TYPES: dict[str, type[SignalType]] = {
    "binary": PdqSignal,
    "exact": VideoMD5Signal,
    "generic": RawTextSignal,
}


def make_signal(rng: random.Random, kind: str) -> str:
    match kind:
        case "binary":
            return random_signal(rng)
        case "exact":
            return random_signal(rng, bits=128)
    return "".join(rng.choices(string.ascii_lowercase + " é漢", k=rng.randint(1, 80)))


def open_layer(kind: str, entries: list[Entry], removed: list[int]) -> Layer:
    return Layer(
        layer_kind(kind), TYPES[kind], Columns.of(layer_kind(kind), entries, removed).files()
    )


@pytest.mark.parametrize("kind", TYPES)
@given(seed=st.integers(0, 2**32), size=st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_a_layer_gives_back_every_entry(kind: str, seed: int, size: int) -> None:
    """Ids, banks, several signals a content and all that is curated survive, whatever the kind."""
    rng = random.Random(seed)
    entries = [
        Entry(
            content_id,
            rng.randrange(1, 2**40),
            tuple(sorted(make_signal(rng, kind) for _ in range(rng.randint(1, 3)))),
            rng.choice([0, 1, 2_000_000_000]),
            rng.choice([None, {"json": {"a": [1, "é"]}}]),
            rng.choice([None, "a note"]),
            rng.choice([(), ("a", "b")]),
        )
        for content_id in sorted(rng.sample(range(1, 2**50), size))
    ]
    removed = sorted(rng.sample(range(1, 1000), rng.randint(0, 5)))
    layer = open_layer(kind, entries, removed)
    given_back = [replace(e, signals=tuple(sorted(e.signals))) for e in layer.columns.entries()]
    assert given_back == entries
    assert layer.columns.removed.tolist() == removed


@pytest.mark.parametrize("size", [0, 1, 2, 3, 63, 64, 65, 1000])
def test_binary_search_equals_brute_force_at_every_threshold(size: int) -> None:
    """Random and crowded codes, thresholds 0 to 63: exactly the rows within the distance."""
    rng = random.Random(size)
    centre = random_signal(rng)
    signals = [
        random_signal(rng) if rng.random() < 0.3 else altered(rng, centre, rng.randint(0, 70))
        for _ in range(size)
    ]
    entries = [Entry(i, 1, (signal,)) for i, signal in enumerate(signals, start=1)]
    layer = open_layer("binary", entries, [])
    for query in [centre, random_signal(rng), altered(rng, centre, 20)]:
        distances = {
            i: (int(signal, 16) ^ int(query, 16)).bit_count()
            for i, signal in enumerate(signals, start=1)
        }
        for threshold in range(64):
            positions, hits = layer.search([query], threshold)[0]
            found = dict(zip(layer.columns.ids[positions].tolist(), hits.texts, strict=True))
            assert found == {i: str(d) for i, d in distances.items() if d <= threshold}


def test_identical_and_single_signals_are_found() -> None:
    """One row, and several equal rows: what a hash table saved badly loses."""
    signal = random_signal(random.Random(1))
    for copies in (1, 2, 4, 8):
        layer = open_layer("binary", [Entry(i, 1, (signal,)) for i in range(1, copies + 1)], [])
        positions, _ = layer.search([signal], 31)[0]
        assert sorted(layer.columns.ids[positions].tolist()) == list(range(1, copies + 1))


@given(seed=st.integers(0, 2**32), size=st.integers(0, 200))
@settings(max_examples=50, deadline=None)
def test_exact_search_equals_brute_force(seed: int, size: int) -> None:
    """Digests that share their first half, repeat or end in zero bytes are told apart."""
    rng = random.Random(seed)
    halves = ["00" * 8, "ff" * 8, "00" * 7 + "01", rng.randbytes(8).hex()]
    signals = [rng.choice(halves) + rng.choice(halves) for _ in range(size)]
    layer = open_layer("exact", [Entry(i, 1, (s,)) for i, s in enumerate(signals, start=1)], [])
    for query in {*signals[:20], random_signal(rng, bits=128)}:
        positions, _ = layer.search([query], 0)[0]
        expected = [i for i, s in enumerate(signals, start=1) if s == query]
        assert sorted(layer.columns.ids[positions].tolist()) == expected


def test_an_exact_signal_need_not_be_an_md5() -> None:
    """Longer digests are found and given back as text."""
    signals = [random_signal(random.Random(i), bits=256) for i in range(50)]
    layer = open_layer("exact", [Entry(i, 1, (s,)) for i, s in enumerate(signals, start=1)], [])
    positions, _ = layer.search([signals[7]], 0)[0]
    assert layer.columns.ids[positions].tolist() == [8]
    assert [e.signals[0] for e in layer.columns.entries()] == signals


def test_names_tells_what_a_layer_decides_about() -> None:
    """Held and removed contents are named, their neighbours are not, also in an empty layer."""
    signal = "0" * 64
    layer = open_layer("binary", [Entry(5, 1, (signal,)), Entry(9, 1, (signal,))], [2, 7])
    asked = np.arange(1, 12)
    assert asked[layer.columns.names(asked)].tolist() == [2, 5, 7, 9]
    assert not open_layer("binary", [], []).columns.names(asked).any()
