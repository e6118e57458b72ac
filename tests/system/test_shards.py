"""A router before real shards on a real store answers as one matcher does, or says 503.

The index has segments that are not merged, so that removals, changes and what they are about stand
in different shards.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from core.errors import Misconfigured, Unavailable
from core.index.objects.layout import Layout
from core.index.reading.sharded import ShardedIndex
from core.settings import Settings
from core.store import open_store
from local_runtime.store.s3_server import S3Server
from tests.deployment import Deployment, altered, random_signal, settings_for
from tests.pictures import photograph, recompressed
from tests.served import Served
from tests.shards import Sharded, process, shard_environ, sharding
from tests.waiting import until

COUNT = 3
TIMEOUT = 3.0
BANKS = ("ONE", "TWO", "HARMLESS")


@dataclass
class System:
    """An index, one matcher that holds all of it, and shards with a router."""

    deployment: Deployment
    whole: Served
    sharded: Sharded
    centre: str
    environ: dict[str, str]
    live: dict[int, str]
    rng: random.Random
    published: bool = False

    def change(self, times: int) -> int:
        """Add, remove, disable and annotate at random, and publish; the snapshot's number."""
        catalog = self.deployment.catalog
        for _ in range(times):
            kind = self.rng.random()
            if kind < 0.55 or not self.live:
                bank = self.rng.choice(BANKS[:2] * 9 + BANKS[2:])
                near = altered(self.rng, self.centre, self.rng.randint(0, 60))
                self.live[self.deployment.add(near, bank, metadata={"json": {"é": [1]}})] = bank
                continue
            content_id = self.rng.choice(list(self.live))
            if kind < 0.75:
                catalog.contents.delete(self.live.pop(content_id), content_id)
            else:
                catalog.contents.update(
                    self.live[content_id],
                    content_id,
                    disable_until_ts=self.rng.choice([0, 1, int(time.time()) + 9999]),
                    labels=[str(self.rng.randint(0, 9))],
                )
        return self.deployment.publisher.publish("pdq")


@pytest.fixture(scope="module")
def system(seaweedfs: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("shards")
    store = seaweedfs.environ() | {"HMA_STORE_URL": f"s3://{seaweedfs.bucket}/shards"}
    given = {name.removeprefix("HMA_").lower(): value for name, value in store.items()}
    environ = store | {
        "HMA_REFRESH_SECONDS": "0.2",
        "HMA_SHARD_TIMEOUT_SECONDS": str(TIMEOUT),
        "HMA_API_TOKENS": "secret",
        "HMA_CACHE_DIR": str(folder / "cache"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.index.publishing.publish.LITTLE_BYTES", 1)
        deployment = Deployment(settings_for(folder, **given, tail_entries=5))
        for name in BANKS:
            deployment.catalog.banks.create(name, 1.0, allow_list=name == "HARMLESS")
        rng = random.Random(7)
        with (
            sharding(environ, COUNT, folder) as sharded,
            process("match_app", environ, folder / "whole.log") as whole,
        ):
            yield System(deployment, whole, sharded, random_signal(rng), environ, {}, rng)


@pytest.fixture
def indexed(system: System) -> System:
    """The same with something near the centre, whichever tests this process ran before."""
    if not system.published:
        system.deployment.add(system.centre, "ONE")
        system.change(1)
        system.published = True
    until(lambda: near(system.sharded.router, system.centre).status_code == 200)
    return system


def asked(served: Served, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": "Bearer secret"}
    return served.request(method, path, headers=headers, **options)


def near(served: Served, signal: str, **query: Any) -> requests.Response:
    query = {"signal": signal, "signal_type": "pdq"} | query
    return asked(served, "GET", "/m/raw_lookup", params=query)


def test_before_anything_is_published(system: System) -> None:
    """No shard has an index: the router says what one matcher says."""
    for path in "/status", "/m/index/status":
        ours, theirs = (asked(one, "GET", path) for one in (system.sharded.router, system.whole))
        assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text)
    lookup = near(system.sharded.router, system.centre)
    assert (lookup.status_code, lookup.json()) == (503, {"message": "index not yet ready"})


def test_answers_are_those_of_one_matcher(system: System) -> None:
    """Every way to look up, after each of many changes, to the last byte and the snapshot."""
    picture = photograph("coffee.png")
    compared = 0
    for step in range(8):
        if step == 4:
            hashed = asked(
                system.whole, "POST", "/m/hash_and_match", files={"photo": ("p.png", picture)}
            )
            system.deployment.add(hashed.json()["hashes"]["pdq"], "ONE")
        if step == 6:
            system.deployment.catalog.banks.update("TWO", "ZWEI", 0.5, thresholds={"pdq": 20})
            system.deployment.catalog.banks.update("ZWEI", "TWO")
        system.deployment.publisher.publish("video_md5")
        number = system.change(12)
        assert number == system.deployment.newest().number
        for method, path, options in requests_after(system, number, recompressed(picture)):
            ours = asked(system.sharded.router, method, path, **options)
            theirs = asked(system.whole, method, path, **options)
            assert ours.status_code == theirs.status_code, (ours.text, theirs.text)
            assert ours.content == theirs.content, (path, options)
            assert ours.headers.get("X-HMA-Snapshot") == theirs.headers.get("X-HMA-Snapshot")
            compared += ours.status_code == 200
    assert len(system.deployment.newest().segments) >= 2 * COUNT
    assert compared > 150
    found = asked(
        system.sharded.router,
        "POST",
        "/m/lookup",
        files={"photo": ("c.jpg", recompressed(picture))},
    )
    assert "ONE" in found.json()["pdq"]
    until(lambda: asked(system.sharded.router, "GET", "/status").text == "I-AM-ALIVE")


def requests_after(
    system: System, number: int, picture: bytes
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests that are answered from snapshot `number`, and some that no snapshot answers."""
    queries = [altered(system.rng, system.centre, distance) for distance in (0, 0, 9, 20, 40, 70)]
    for code in queries:
        query = {"signal": code, "signal_type": "pdq", "min_snapshot": number, "seed": code}
        yield "GET", "/m/raw_lookup", {"params": query | {"include_distance": "true"}}
        yield "GET", "/m/lookup", {"params": query | {"include_metadata": "true"}}
        yield "GET", "/m/lookup", {"params": query | {"threshold": 15, "banks": "ONE,HARMLESS"}}
    body = {
        "signal_type": "pdq",
        "signals": [*queries, "no hash", *queries[::-1]],
        "seed": "s",
        "min_snapshot": str(number),
    }
    yield "POST", "/m/batch_lookup", {"json": body}
    yield "POST", "/m/batch_lookup", {"json": body | {"signals": []}}
    files = {"files": {"photo": ("copy.jpg", picture)}}
    yield "POST", f"/m/lookup?seed=x&min_snapshot=pdq={number}", files
    yield "POST", f"/m/hash_and_match?variants=all&seed=x&min_snapshot=pdq={number}", files
    yield "GET", "/m/index/status", {"params": {"signal_type": "pdq"}}
    for bad in {"signal": "0"}, {"signal_type": "nothing"}, {"threshold": "99"}:
        query = {"signal": system.centre, "signal_type": "pdq", **bad}
        yield "GET", "/m/lookup", {"params": query}
    compared = {"pdq": [queries[0], queries[-1]]}
    yield "POST", "/m/compare", {"json": compared}


def test_no_answer_mixes_snapshots(indexed: System) -> None:
    """While one snapshot follows another, each answer is that of the snapshot it names."""
    indexed.change(5)
    expected: dict[int, set[int]] = {}
    publishing = threading.Event()
    answers: list[tuple[int, set[int]]] = []
    refused: list[str] = []

    def ask() -> None:
        while not publishing.is_set():
            answer = near(indexed.sharded.router, indexed.centre)
            if answer.status_code == 200:
                number = int(answer.headers["X-HMA-Snapshot"].partition("=")[2])
                answers.append((number, set(answer.json()["matches"])))
            else:
                refused.append(answer.text)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for one in asking:
        one.start()
    try:
        for _ in range(30):
            number = indexed.change(1)
            found = indexed.deployment.index.get("pdq", number).search([indexed.centre])[0]
            expected[number] = {one.content_id for one in found}
    finally:
        publishing.set()
        for one in asking:
            one.join()
    checked = [(number, found) for number, found in answers if number in expected]
    assert [found for number, found in checked] == [expected[number] for number, _ in checked]
    assert len({number for number, _ in checked}) >= 3, (answers, refused)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_shard_is_no_shorter_answer(indexed: System, how: signal.Signals) -> None:
    """Under lookups that go on, shard 2 dies or stops: complete answers, then 503s, then again."""
    number = indexed.change(5)
    router, pid = indexed.sharded.router, indexed.sharded.pids[1]
    complete = near(indexed.whole, indexed.centre, min_snapshot=number).json()
    assert near(router, indexed.centre, min_snapshot=number).json() == complete
    os.kill(pid, how)
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:  # at once, and then one of a shard that is known for it
        answers = list(pool.map(lambda _: near(router, indexed.centre), range(2)))
        answers.append(near(router, indexed.centre))
        unready = pool.submit(until, lambda: asked(router, "GET", "/status").status_code == 503)
        status = asked(router, "GET", "/m/index/status")
        took = time.monotonic() - began
        unready.result()
    assert {answer.status_code for answer in [*answers, status]} == {503}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    said = "cannot be reached" if how == signal.SIGKILL else "did not answer in time"
    expected = {"message": f"shard 2 of the 3 in HMA_SHARDS {said}"}
    assert [answer.json() for answer in answers] == [expected] * 3
    assert took < 10 * TIMEOUT
    assert asked(router, "GET", "/status/live").status_code == 200
    if how == signal.SIGSTOP:
        os.kill(pid, signal.SIGCONT)
    else:
        indexed.sharded.restart(2)
    until(lambda: near(router, indexed.centre, min_snapshot=number).status_code == 200)
    assert near(router, indexed.centre, min_snapshot=number).json() == complete


def test_many_who_wait_for_a_stopped_shard_are_told_soon(indexed: System) -> None:
    """They do not queue behind each other, each for as long as it may take."""
    router, pid = indexed.sharded.router, indexed.sharded.pids[0]
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(near(router, indexed.centre).status_code)

    os.kill(pid, signal.SIGSTOP)
    try:
        asking = [threading.Thread(target=ask) for _ in range(200)]
        began = time.monotonic()
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        took = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)
    assert statuses == [503] * 200
    assert took < 9 * TIMEOUT  # one after the other, 16 at a time, they would take 13 of them
    until(lambda: near(router, indexed.centre).status_code == 200)


def index_of(system: System, *urls: str, **settings: Any) -> ShardedIndex:
    given = {"shards": urls, "api_tokens": ("secret",), "shard_timeout_seconds": 30.0}
    return ShardedIndex(Settings(**(given | settings)))


def test_shards_that_are_not_those_they_should_be(indexed: System) -> None:
    """One twice, one missing, one that is no shard, one that wants another token: no answer."""
    indexed.change(1)
    first, second, third = (shard.url for shard in indexed.sharded.shards)
    twice = first.replace("127.0.0.1", "localhost")
    ask = ("pdq", [indexed.centre])
    assert index_of(indexed, third, first, second).search(*ask).matches[0]
    for urls, said in (
        ((first, twice, third), "which say they are 1/3, 1/3, 3/3"),
        ((first, second), "HMA_SHARDS names 2"),
        ((indexed.whole.url,), "answers as no shard does"),
        ((first, second, third + "/elsewhere"), "answers as no shard does"),
    ):
        with pytest.raises((Misconfigured, Unavailable), match=said):
            index_of(indexed, *urls).search(*ask)
    with pytest.raises(Unavailable, match="token"):
        index_of(indexed, first, second, third, api_tokens=()).search(*ask)


def test_shards_of_different_indices(indexed: System, seaweedfs: S3Server, tmp_path: Path) -> None:
    """With the same number by chance, too: what they would answer together is true of neither."""
    number = indexed.change(1)
    elsewhere = {"HMA_STORE_URL": f"s3://{seaweedfs.bucket}/elsewhere"}
    other = replace(indexed.deployment.newest(), writer="another", segments=())
    settings = Settings.from_env(seaweedfs.environ() | elsewhere)
    open_store(settings).create(Layout("pdq").snapshot(number), other.to_bytes())
    environ = shard_environ(indexed.environ | elsewhere, 3, COUNT)
    first, second = (shard.url for shard in indexed.sharded.shards[:2])
    with process("shard_app", environ, tmp_path / "log") as third:
        index = index_of(indexed, first, second, third.url)
        with pytest.raises(Misconfigured, match="different indices"):
            index.search("pdq", [indexed.centre], min_snapshot=number)


def test_what_a_shard_refuses(indexed: System) -> None:
    """It says why, as any function does, and never that it found nothing."""
    (shard, *_) = indexed.sharded.shards
    good = {"signal_type": "pdq", "signals": [indexed.centre]}
    for bad, status in (
        ({"signals": ["0"]}, 400),
        ({"signal_type": "nothing"}, 400),
        ({"threshold": -1}, 422),
        ({"min_snapshot": 10**9}, 503),
        ({"min_snapshot": "x"}, 422),
    ):
        answer = asked(shard, "POST", "/shard/search", json=good | bad)
        assert answer.status_code == status, answer.text
    assert requests.post(f"{shard.url}/shard/search", json=good, timeout=30).status_code == 401
    assert asked(shard, "GET", "/m/lookup").status_code == 404
