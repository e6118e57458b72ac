"""Threads that ask an index for the first time at once wait for one of them, and share."""

import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.index.reading.read import Index
from tests.deployment import Deployment, random_signal, settings_for

THREADS = 32


class CountingStore:
    """A store that counts how often each object is read."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, key: str) -> bytes:
        self.reads[key] += 1
        return bytes(self._store.get(key))


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads give way at nearly every step."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_the_first_to_ask_load_the_index_together_once(tmp_path: Path) -> None:
    """All of 32 get the very same index, and no object of the store was read twice for it."""
    deployment = Deployment(settings_for(tmp_path, tail_entries=1))
    rng = random.Random(1)
    for _ in range(5):
        deployment.add(random_signal(rng))
        deployment.publisher.publish("pdq")
    store = CountingStore(deployment.store)
    settings = settings_for(tmp_path, refresh_seconds=600, cache_dir=tmp_path / "empty cache")
    index = Index(store, deployment.signal_types, settings)
    together = threading.Barrier(THREADS)

    def ask(_: int) -> object:
        together.wait()
        return index.get("pdq")

    with ThreadPoolExecutor(THREADS) as pool:
        loaded = list(pool.map(ask, range(THREADS)))
    assert len({id(index) for index in loaded}) == 1
    read_twice = {key for key, reads in store.reads.items() if reads > 1}
    assert read_twice == set()
    assert any("/segments/" in key for key in store.reads)
