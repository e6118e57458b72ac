"""Lookups that wait for the store wait in a thread: other requests are answered meanwhile."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from core.services import Services
from core.store import ObjectStore
from functions import match, ui
from functions.curating import contents
from tests.deployment import BANK, Deployment, settings_for
from tests.hosted import app_of, hosted
from tests.pictures import photograph

PATIENCE = 10.0
"""Seconds that a client beside the slow lookup waits. Answered at once, it does not wait at all."""

SIGNAL = "5a" * 32


class StallingStore:
    """A store that answers, until it is stalled; and then not before it is let go on.

    Attributes:
        asked: set when a call has come that is not answered.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._open = threading.Event()
        self._open.set()
        self.asked = threading.Event()

    def stall(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*arguments: Any) -> Any:
            if not self._open.is_set():
                self.asked.set()
                self._open.wait()
            return method(*arguments)

        return call


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., tuple[Deployment, StallingStore]]:
    """Makes a deployment with a content published, on a store that the test may stall."""

    def deployment(**settings: object) -> tuple[Deployment, StallingStore]:
        services = Deployment(settings_for(tmp_path, signal_types="pdq", **settings))
        services.add(SIGNAL)
        services.publisher.publish("pdq")
        store = StallingStore(services.store)
        services.store = store
        return services, store

    return deployment


Ask = Callable[[str, dict[str, str]], requests.Response]


def _lookup(url: str, more: dict[str, str]) -> requests.Response:
    query = {"signal": SIGNAL, "signal_type": "pdq", **more}
    return requests.get(f"{url}/m/lookup", params=query, timeout=60)


def _raw_lookup(url: str, more: dict[str, str]) -> requests.Response:
    query = {"signal": SIGNAL, "signal_type": "pdq", **more}
    return requests.get(f"{url}/m/raw_lookup", params=query, timeout=60)


def _batch_lookup(url: str, more: dict[str, str]) -> requests.Response:
    body = {"signals": [SIGNAL], "signal_type": "pdq", **more}
    return requests.post(f"{url}/m/batch_lookup", json=body, timeout=60)


def _lookup_upload(url: str, more: dict[str, str]) -> requests.Response:
    files = {"photo": photograph()}
    return requests.post(f"{url}/m/lookup", params=more, files=files, timeout=60)


def _contents(url: str, more: dict[str, str]) -> requests.Response:
    query = {"signal": SIGNAL, "signal_type": "pdq", **more}
    return requests.get(f"{url}/c/bank/{BANK}/contents", params=query, timeout=60)


def _page(url: str, _: dict[str, str]) -> requests.Response:
    form = {"signal_value": SIGNAL, "signal_type": "pdq"}
    return requests.post(f"{url}/ui/query_hash", data=form, timeout=60)


def _found_on_page(url: str, _: dict[str, str]) -> requests.Response:
    body = {"signal_value": SIGNAL, "signal_type": "pdq"}
    return requests.post(f"{url}/ui/bank/{BANK}/content/find", json=body, timeout=60)


LOOKUPS: list[Ask] = [_lookup, _raw_lookup, _batch_lookup, _lookup_upload, _contents]
PAGES: list[Ask] = [_page, _found_on_page]


@pytest.fixture
def asking() -> Iterator[ThreadPoolExecutor]:
    """A client beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("ask", [*LOOKUPS, *PAGES])
def test_while_the_store_is_looked_at_others_are_answered(
    deploy: Callable[..., tuple[Deployment, StallingStore]],
    asking: ThreadPoolExecutor,
    ask: Ask,
) -> None:
    """By each route that looks signals up: the index is due, and its store answers late."""
    services, store = deploy(refresh_seconds=1e-6)
    with _serving(services) as url:
        assert ask(url, {}).status_code == 200  # what is due later is loaded now
        answered_beside(url, store, asking, ask, {}, 200)


@pytest.mark.parametrize("ask", LOOKUPS)
def test_while_a_snapshot_is_waited_for_others_are_answered(
    deploy: Callable[..., tuple[Deployment, StallingStore]],
    asking: ThreadPoolExecutor,
    ask: Ask,
) -> None:
    """The index is not due, but a newer snapshot is asked for than it holds."""
    services, store = deploy(refresh_seconds=3600)
    with _serving(services) as url:
        assert ask(url, {}).status_code == 200
        answered_beside(url, store, asking, ask, {"min_snapshot": "2"}, 503)


def answered_beside(
    url: str,
    store: StallingStore,
    asking: ThreadPoolExecutor,
    ask: Ask,
    query: dict[str, str],
    status: int,
) -> None:
    """Stall the store under a lookup, ask something else, and only then let the store go on."""
    store.stall()
    try:
        slow = asking.submit(ask, url, query)
        assert store.asked.wait(PATIENCE), "the lookup did not look at the store"
        assert is_answered(f"{url}/status/live"), "the event loop waits for the store"
        assert not slow.done()
    finally:
        store.go_on()
    assert slow.result().status_code == status, slow.result().text


def is_answered(url: str) -> bool:
    try:
        return requests.get(url, timeout=PATIENCE).ok
    except requests.Timeout:
        return False


def _serving(services: Services) -> Any:
    return hosted(app_of(services, match.router, contents.router, ui.router))
