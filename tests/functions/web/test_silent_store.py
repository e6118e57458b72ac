"""A store that is stopped, not dead: requests take their three seconds, and hashing none of it."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from core.index.reading.read import Index
from core.services import Services
from core.store import ObjectStore
from functions import hash as hashing
from functions import match, status
from local_runtime.store.s3_server import S3Server, start_seaweedfs
from tests.deployment import BANK, Deployment, random_signal, settings_for
from tests.hosted import app_of, hosted
from tests.pictures import photograph
from tests.waiting import until

CONTRACT_SECONDS = 3.0
SIGNAL = "5a" * 32


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    """An object store of the test's own, to be stopped."""
    server = start_seaweedfs(tmp_path / "server")
    yield server
    server.stop()


def deploy(server: S3Server, folder: Path, **settings: object) -> Deployment:
    """A deployment on `server` with a content published and every signal type indexed."""
    names = {name.removeprefix("HMA_").lower(): value for name, value in server.environ().items()}
    services = Deployment(settings_for(folder, **(names | settings)))
    services.add(SIGNAL)
    services.publisher.publish_all()
    return services


@contextmanager
def stopped(server: S3Server) -> Iterator[None]:
    os.kill(server.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.child.pid, signal.SIGCONT)


def serving(services: Services) -> Any:
    return hosted(app_of(services, match.router, hashing.router, status.router))


def look_up(url: str) -> requests.Response:
    return requests.get(
        f"{url}/m/lookup", params={"signal": SIGNAL, "signal_type": "pdq"}, timeout=60
    )


def seconds_of(ask: Callable[[], requests.Response]) -> tuple[float, int]:
    began = time.monotonic()
    answer = ask()
    return time.monotonic() - began, answer.status_code


def test_one_request_at_a_time_waits_and_not_for_long(server: S3Server, tmp_path: Path) -> None:
    """Of lookups and `/status`, from what is held; also the one that waits is within 3 s."""
    with serving(deploy(server, tmp_path, refresh_seconds=0.1)) as url:
        assert requests.get(f"{url}/status", timeout=60).status_code == 200
        assert list(look_up(url).json()) == [BANK]
        with stopped(server), ThreadPoolExecutor(8) as pool:
            until(lambda: seconds_of(lambda: look_up(url))[0] > 1)  # this one finds out
            asked = [pool.submit(seconds_of, lambda: look_up(url)) for _ in range(40)]
            asked += [
                pool.submit(seconds_of, lambda: requests.get(f"{url}/status", timeout=60))
                for _ in range(4)
            ]
            took = [question.result() for question in asked]
    assert {answer for _, answer in took} == {200}
    assert max(seconds for seconds, _ in took) < CONTRACT_SECONDS
    assert sum(seconds > 1 for seconds, _ in took) <= 2  # one of them, and the next one at most


def test_a_cold_function_does_not_keep_its_clients(server: S3Server, tmp_path: Path) -> None:
    """Nothing is loaded yet: 503 within 3 s for a lookup and for `/status`, of several types."""
    with serving(deploy(server, tmp_path)) as url, stopped(server):
        took, answer = seconds_of(lambda: requests.get(f"{url}/status", timeout=60))
        assert answer == 503
        assert took < CONTRACT_SECONDS
        took, answer = seconds_of(lambda: look_up(url))
        assert answer == 503
        assert took < CONTRACT_SECONDS


def test_photos_are_hashed_while_the_store_is_silent(server: S3Server, tmp_path: Path) -> None:
    """The first within 3 s, those after it at once: nobody waits for the same silence again."""
    files = {"photo": photograph()}
    with serving(deploy(server, tmp_path)) as url, stopped(server):
        ask = lambda: requests.post(f"{url}/h/hash", files=files, timeout=60)  # noqa: E731
        took, answer = seconds_of(ask)
        assert answer == 200
        assert took < CONTRACT_SECONDS
        again = [seconds_of(ask) for _ in range(3)]
        assert {answer for _, answer in again} == {200}
        assert max(seconds for seconds, _ in again) < 1


class CountingStore:
    """A store that counts how often each object is read."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, key: str) -> bytes:
        self.reads[key] += 1
        return self._store.get(key)


def test_hashing_loads_no_index(tmp_path: Path) -> None:
    """Of a healthy store it reads one snapshot, and then asks for the next once in a while."""
    services = Deployment(settings_for(tmp_path, tail_entries=1, refresh_seconds=3600))
    rng = random.Random(1)
    for _ in range(5):
        services.add(random_signal(rng))
        services.publisher.publish("pdq")
    assert services.newest().segments
    store = CountingStore(services.store)
    services.store = store
    with serving(services) as url:
        for _ in range(3):
            answer = requests.post(f"{url}/h/hash", files={"photo": photograph()}, timeout=60)
            assert answer.status_code == 200
    assert not [key for key in store.reads if "/segments/" in key or "video_md5" in key]
    assert sorted(key.rsplit("/", 1)[1] for key in store.reads.elements()) == [
        f"{services.newest().number:020d}.json",
        f"{services.newest().number + 1:020d}.json",
        "latest.json",
    ]


def test_a_type_that_was_switched_off_is_remembered(tmp_path: Path) -> None:
    """By a process that loads nothing, also when the store no longer answers."""
    services = Deployment(settings_for(tmp_path, refresh_seconds=1e-6))
    services.publisher.publish_all()
    services.catalog.signal_types.set_ratio("pdq", 0.0)
    services.publisher.publish("pdq")
    index = Index(services.store, services.signal_types, services.settings)
    assert index.enabled_ratio("pdq") == 0
    (tmp_path / "store").rename(tmp_path / "gone")
    until(lambda: index.enabled_ratio("pdq") == 0)
    (tmp_path / "gone").rename(tmp_path / "store")
    services.catalog.signal_types.set_ratio("pdq", 1.0)
    services.publisher.publish("pdq")
    until(lambda: index.enabled_ratio("pdq") == 1)
