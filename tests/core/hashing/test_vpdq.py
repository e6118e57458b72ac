"""The vPDQ signal is threatexchange's, and so is what matches."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.signal_types.vpdq import VpdqSignal
from tests.deployment import altered, random_signal
from tests.their_vpdq import VPDQSignal

HASH = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"


@pytest.fixture
def types() -> SignalTypes:
    return SignalTypes.from_settings(Settings(signal_types=("pdq", "vpdq")))


def one_of(rng: random.Random, hashes: list[str]) -> str:
    """A video of some of `hashes`, each with the quality it has in every video; one counts."""
    while True:
        chosen = [(one, random.Random(one).choice([0, 49, 50, 51, 100])) for one in hashes]
        frames = rng.choices(chosen, k=rng.randint(1, 8))
        if any(quality >= 50 for _, quality in frames):
            return json.dumps([f"{one},{q},{float(at):.3}" for at, (one, q) in enumerate(frames)])


def near_each_other(rng: random.Random, size: int) -> list[str]:
    """Hashes of which some are just within, and some just beyond, 31 bits of others."""
    centres = [random_signal(rng) for _ in range(4)]
    return [
        altered(rng, rng.choice(centres), rng.choice([0, 1, 15, 16, 31, 32])) for _ in range(size)
    ]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_two_videos_compare_as_with_threatexchange(seed: int) -> None:
    """The same percentages, and the same verdict, for videos of frames that are nearly alike."""
    rng = random.Random(seed)
    hashes = near_each_other(rng, 12)
    first, second = one_of(rng, hashes), one_of(rng, hashes)
    ours = VpdqSignal.compare_hash(first, second)
    theirs = VPDQSignal.compare_hash(first, second)
    assert ours.match == theirs.match
    assert vars(ours.distance) == vars(theirs.distance)
    assert ours.distance.pretty_str() == theirs.distance.pretty_str()


def test_signals_are_as_threatexchange_writes_them(types: SignalTypes) -> None:
    """Its examples are valid with us, ours with it, and both stay as they are."""
    (example,) = VPDQSignal.get_examples()
    assert VpdqSignal.get_examples() == [example]
    assert types.validate("vpdq", example) == example
    assert VPDQSignal.validate_signal_str(example) == example
    assert (types.kind("vpdq").name, types.threshold("vpdq")) == ("frames", 31)


def test_signals_are_normalised_once(types: SignalTypes) -> None:
    """Upper case, spaces and times to the microsecond: one form, which stays."""
    normal = types.validate("vpdq", f'[ "{HASH.upper()},50,1.234567" ,"{HASH},0,1e3"]')
    assert normal == json.dumps([f"{HASH},50,1.23", f"{HASH},0,1e+03"])
    assert types.validate("vpdq", normal) == normal


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        ("", "Expecting value"),
        ("nothing", "Expecting value"),
        ("[" * 100_000, "maximum recursion depth"),
        ("{}", "a vpdq signal is a JSON list"),
        (json.dumps({"0": {"quality": 100, "hash": HASH, "timestamp": 0.0}}), "a vpdq signal is a"),
        ("[]", "no frame has a quality of 50 or more"),
        (f'["{HASH},49,0.0"]', "no frame has a quality of 50 or more"),
        ("[1]", "a frame of a vpdq signal is"),
        (f'["{HASH}"]', "a frame of a vpdq signal is"),
        (f'["{HASH[:-1]},100,0.0"]', "a frame of a vpdq signal is"),
        (f'["0x{HASH[2:]},100,0.0"]', "a frame of a vpdq signal is"),
        (f'["{HASH},100,0.0\\n"]', "a frame of a vpdq signal is"),
        (f'["{HASH},101,0.0"]', "the quality of a frame"),
        (f'["{HASH},-1,0.0"]', "a frame of a vpdq signal is"),
        (f'["{HASH},100,-1"]', "the timestamp of a frame"),
        (f'["{HASH},100,nan"]', "a frame of a vpdq signal is"),
        (f'["{HASH},100,1e999"]', "the timestamp of a frame"),
        (f'["{HASH},100,--"]', "could not convert"),
        (json.dumps([f"{HASH},100,0.0"] * 20_001), "a vpdq signal has at most 20000 frames"),
    ],
)
def test_malformed_signals_are_refused(types: SignalTypes, signal: str, reason: str) -> None:
    """With the reason, also where threatexchange would take it."""
    with pytest.raises(BadInput) as caught:
        types.validate("vpdq", signal)
    assert caught.value.message.startswith(reason)


def test_no_threshold_is_taken(types: SignalTypes) -> None:
    """A distance of frames is no distance of videos: neither a bank nor a request may set one."""
    with pytest.raises(BadInput, match="have no distance in bits"):
        types.check_threshold("vpdq", 31)
