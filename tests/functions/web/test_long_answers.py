"""What takes long does not hold up the others, and an answer has an end."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from core.matching.compare import compare_signals
from core.services import Services
from functions import match
from functions.web.app import build
from tests.deployment import Deployment, random_signal, settings_for
from tests.functions.walk import send

MOST = 250
COUNT = 2 * MOST + 100
SIGNAL = random_signal(random.Random(5))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """A match function, an index of many equal hashes in one bank, and of one in another."""
    monkeypatch.setattr("core.matching.lookup.MOST_MATCHES", MOST)
    deployment = Deployment(settings_for(tmp_path, refresh_seconds=3600, tail_entries=10_000))
    for _ in range(COUNT):
        deployment.add(SIGNAL)
    deployment.add(SIGNAL, "LAST")
    deployment.index.get("pdq", deployment.publisher.publish("pdq"))
    return build(match.router, services=deployment)


def test_pages_of_a_lookup_are_all_of_it(app: FastAPI) -> None:
    """Each has the nearest so many and says what is left; the first names each bank."""
    pages: list[dict[str, Any]] = []
    left: list[str | None] = []
    for skip in 0, MOST, 2 * MOST:
        headers: dict[str, str] = {}
        status, answer = send(
            app, "GET", "/m/lookup", seen=headers, skip=str(skip), signal=SIGNAL, signal_type="pdq"
        )
        assert status == 200
        pages.append(json.loads(answer))
        left.append(headers.get("x-hma-matches-left"))
    assert left == [f"pdq={COUNT + 1 - MOST}", f"pdq={COUNT + 1 - 2 * MOST}", None]
    assert [len(page["KNOWN"]) for page in pages] == [MOST, MOST, 100]
    assert [len(page["LAST"]) for page in pages] == [1, 1, 1]
    ids = [one["bank_content_id"] for page in pages for one in page["KNOWN"]]
    assert len(set(ids)) == COUNT


@pytest.mark.parametrize("path", ["/m/lookup", "/m/raw_lookup"])
def test_many_matches_are_not_made_on_the_event_loop(
    app: FastAPI, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made in a thread, though the index is loaded and fresh."""
    made_by: list[threading.Thread] = []
    services: Services = app.state.services
    loaded = services.index.get("pdq")
    make = loaded._matches

    def make_matches(*arguments: Any) -> Any:
        made_by.append(threading.current_thread())
        return make(*arguments)

    monkeypatch.setattr(loaded, "_matches", make_matches)
    assert send(app, "GET", path, signal=SIGNAL, signal_type="pdq")[0] == 200
    assert made_by
    assert threading.main_thread() not in made_by


def test_signals_are_compared_in_a_thread(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short they are: who sends them says how long it takes."""
    threads: list[threading.Thread] = []

    def comparing(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return compare_signals(*arguments)

    monkeypatch.setattr("functions.match.compare_signals", comparing)
    body = json.dumps({"pdq": [SIGNAL, SIGNAL]}).encode()
    status, answer = send(app, "POST", "/m/compare", body=body, content_type="application/json")
    assert (status, json.loads(answer)) == (200, {"pdq": [True, {"distance": 0}]})
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
