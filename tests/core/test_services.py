"""The parts of a deployment are made once, whoever asks."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from core.services import Services, part
from core.settings import Settings
from tests.deployment import settings_for

THREADS = 16


class Slow:
    """Parts that take their time, one of which needs another."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.away = Event()

    @part
    def whole(self) -> list[str]:
        time.sleep(0.01)  # so that all who ask are there before it is made
        self.made.append("whole")
        return [self.piece]

    @part
    def piece(self) -> str:
        time.sleep(0.01)
        self.made.append("piece")
        return "piece"

    @part
    def stuck(self) -> str:
        assert self.away.wait(10)
        return "stuck"

    @part
    def failing(self) -> str:
        self.made.append("failing")
        if len(self.made) == 1:
            raise ConnectionError
        return "works"


def test_a_part_that_many_ask_for_at_once_is_made_once() -> None:
    """Also when one that is being made needs another that is asked for by others."""
    slow, ready = Slow(), Barrier(THREADS)

    def ask(number: int) -> object:
        ready.wait(10)
        return slow.whole if number % 2 else slow.piece

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, range(THREADS)))
    assert sorted(slow.made) == ["piece", "whole"]
    assert len({id(answer) for answer in answers}) == 2


def test_many_threads_share_one_index_and_one_catalog(tmp_path: Path) -> None:
    """Those of a real deployment, of which a second would double the memory and the connections."""
    services, ready = Services(settings_for(tmp_path)), Barrier(THREADS)

    def ask(_: int) -> tuple[object, ...]:
        ready.wait(10)
        return services.publisher, services.lookup_index, services.fetcher, services.catalog

    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(ask, range(THREADS)))
    assert [len({id(each) for each in same}) for same in zip(*parts, strict=True)] == [1] * 4
    services.catalog.close()


def test_one_that_waits_holds_up_no_other() -> None:
    """A database that does not answer must not keep lookups from their index."""
    slow = Slow()
    waiting = Thread(target=lambda: slow.stuck)
    waiting.start()
    assert slow.piece == "piece"
    slow.away.set()
    waiting.join(10)
    assert slow.stuck == "stuck"


def test_one_that_could_not_be_made_is_made_when_it_is_asked_for_again() -> None:
    """An error is no part."""
    slow = Slow()
    with pytest.raises(ConnectionError):
        _ = slow.failing
    assert slow.failing == slow.failing == "works"
    assert slow.made == ["failing", "failing"]


def test_only_a_function_with_a_store_or_shards_has_an_index(tmp_path: Path) -> None:
    """A `hash` that stands alone has none, and says so without an error."""
    assert Services(Settings()).lookup_index_if_any is None
    services = Services(settings_for(tmp_path))
    assert services.lookup_index_if_any is services.index
