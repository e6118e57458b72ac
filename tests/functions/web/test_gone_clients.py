"""Clients that give up: what they asked for is not done, so that whoever comes next is served."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
import requests
from threatexchange.content_type.content_base import ContentType
from threatexchange.content_type.photo import PhotoContent
from threatexchange.signal_type.signal_base import BytesHasher, SignalType

from core.services import Services
from core.settings import Settings
from functions import hash as hash_function
from functions.web.app import build
from functions.web.turns import Turns
from tests.hosted import hosted
from tests.waiting import until

CORES = os.cpu_count() or 1


@dataclass
class Work:
    """What has been begun, by step and content, and what lets it end."""

    begun: list[tuple[str, bytes]] = field(default_factory=list)
    may_end: threading.Event = field(default_factory=threading.Event)


class FirstStep(SignalType, BytesHasher):  # type: ignore[misc]  # threatexchange has no types
    """A signal type that takes until it may end."""

    name = "first"
    work = Work()

    @classmethod
    def get_name(cls) -> str:
        return cls.name

    @classmethod
    def get_content_types(cls) -> list[type[ContentType]]:
        return [PhotoContent]

    @classmethod
    def hash_from_bytes(cls, bytes_: bytes) -> str:
        FirstStep.work.begun.append((cls.name, bytes_))
        assert FirstStep.work.may_end.wait(60)
        return bytes_.hex()


class SecondStep(FirstStep):
    """What comes after it."""

    name = "second"


@contextmanager
def hashing(turns: Turns) -> Iterator[str]:
    """The address of a hash function of these two types, whose work is done in `turns`."""
    FirstStep.work = Work()
    types = f"{__name__}:FirstStep,{__name__}:SecondStep"
    app = build(
        hash_function.router, services=Services(Settings.model_validate({"signal_types": types}))
    )
    app.state.limits = replace(app.state.limits, hashing=turns)
    with hosted(app) as url:
        try:
            yield url
        finally:
            FirstStep.work.may_end.set()


def upload(url: str, content: bytes, seconds: float = 60) -> requests.Response:
    return requests.post(f"{url}/h/hash", files={"photo": content}, timeout=seconds)


def give_up(url: str, content: bytes) -> None:
    with pytest.raises(requests.Timeout):
        upload(url, content, 1.0)


def test_work_of_clients_that_have_gone_is_not_begun() -> None:
    """Of 64 that give up those at work are hashed to one step; the next one waits for no other."""
    turns = Turns(CORES)
    with hashing(turns) as url:
        with ThreadPoolExecutor(64) as clients:
            list(clients.map(lambda n: give_up(url, b"gone %d" % n), range(64)))
        with ThreadPoolExecutor(1) as client:
            answer = client.submit(upload, url, b"next")
            until(lambda: turns.waiting == 1)  # it has come, and the others' work holds all cores
            FirstStep.work.may_end.set()
            assert answer.result().json() == {"first": b"next".hex(), "second": b"next".hex()}
    begun = FirstStep.work.begun
    assert len(begun) <= CORES + 2, begun
    assert [step for step, content in begun if content == b"next"] == ["first", "second"]
    assert {step for step, content in begun if content != b"next"} <= {"first"}


def test_a_full_queue_is_said_at_once() -> None:
    """Past its length it is 503 with Retry-After; those that wait in it are answered."""
    turns = Turns(1, length=1)
    with hashing(turns) as url, ThreadPoolExecutor(2) as clients:
        first = clients.submit(upload, url, b"a")
        until(lambda: len(FirstStep.work.begun) == 1)
        second = clients.submit(upload, url, b"b")
        until(lambda: turns.waiting == 1)
        refused = upload(url, b"c")
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        FirstStep.work.may_end.set()
        assert [answer.result().status_code for answer in (first, second)] == [200, 200]
    assert b"c" not in {content for _, content in FirstStep.work.begun}


def test_a_turn_that_does_not_come_in_time_is_503() -> None:
    """Whoever waits longer than the queue's time is told to try again, and is not hashed."""
    with hashing(Turns(1, seconds=0.2)) as url, ThreadPoolExecutor(1) as clients:
        first = clients.submit(upload, url, b"a")
        until(lambda: len(FirstStep.work.begun) == 1)
        late = upload(url, b"b")
        assert late.status_code == 503
        assert late.headers["Retry-After"]
        FirstStep.work.may_end.set()
        assert first.result().status_code == 200
    assert b"b" not in {content for _, content in FirstStep.work.begun}
