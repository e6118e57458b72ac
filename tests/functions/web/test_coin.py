"""The coin that says which banks take part: one for each request and each signal type in it."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from functions import match
from tests.deployment import BANK, Deployment, settings_for
from tests.hosted import app_of, hosted

VIDEO = b"any bytes: their digests are their signals"

TYPES = {
    "video_md5": hashlib.md5(VIDEO).hexdigest(),
    "video_sha256": hashlib.sha256(VIDEO).hexdigest(),
}

REQUESTS = 64
"""So many that coins which are thrown apart fall alike each time once in 2 to the power of 64."""


@pytest.fixture
def matcher(tmp_path: Path) -> Iterator[str]:
    """The address of a match function that knows the video by two types, in a bank of half."""
    names = ",".join(TYPES)
    services = Deployment(settings_for(tmp_path, signal_types=names, refresh_seconds=3600))
    services.catalog.banks.create(BANK, 0.5)
    services.catalog.contents.add(BANK, TYPES)
    services.publisher.publish_all()
    with hosted(app_of(services, match.router)) as url:
        yield url


def taking_part(matcher: str, **query: str) -> dict[str, bool]:
    """By signal type, whether the bank took part in a lookup of the video."""
    answer = requests.post(
        f"{matcher}/m/lookup", params=query, files={"video": VIDEO}, timeout=60
    ).json()
    assert answer.keys() == TYPES.keys()
    return {name: BANK in banks for name, banks in answer.items()}


def test_each_signal_type_of_a_request_has_a_coin_of_its_own(matcher: str) -> None:
    """In some answers a bank of half takes part in one of two types and not in the other."""
    apart = [len(set(taking_part(matcher).values())) == 2 for _ in range(REQUESTS)]
    assert any(apart), "the coins of two signal types fell alike in every request"


def test_each_request_has_a_coin_of_its_own(matcher: str) -> None:
    """Within one signal type the bank takes part in some requests and not in others."""
    seen = {taking_part(matcher)["video_md5"] for _ in range(REQUESTS)}
    assert seen == {True, False}


def test_with_a_seed_all_types_have_the_same_coin(matcher: str) -> None:
    """The one that CPython draws for it, whatever else is asked for in the request."""
    for seed in map(str, range(8)):
        takes_part = random.Random(seed).random() <= 0.5
        assert taking_part(matcher, seed=seed) == dict.fromkeys(TYPES, takes_part)
