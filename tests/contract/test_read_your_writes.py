"""What one process has acknowledged, its next lookup knows, without `min_snapshot`."""

import random
from collections.abc import Iterator

import pytest
import requests

from tests.contract.conftest import Serve
from tests.pictures import photograph
from tests.served import Served

ROUNDS = 20


@pytest.fixture
def api(serve: Serve) -> Iterator[Served]:
    """A server that by itself would look at its store once an hour, with the bank B."""
    with serve(refresh_seconds=3600) as served:
        assert served.post("/publish").status_code == 200
        assert served.post("/c/banks", json={"name": "B"}).status_code == 201
        yield served


def matches(api: Served, signal: str) -> bool:
    answer = api.get("/m/lookup", signal=signal, signal_type="pdq")
    assert answer.status_code == 200, answer.text
    return bool(answer.json())


def test_the_next_lookup_after_each_change(api: Served) -> None:
    """Added, disabled, enabled, its bank's ratio changed, deleted: twenty times of twenty."""
    rng = random.Random(1)
    signals = [rng.randbytes(32).hex() for _ in range(ROUNDS)]
    wrong: list[str] = []

    def check(what: str, answer: requests.Response, signal: str, expected: bool) -> None:
        assert answer.status_code in (200, 201, 204), answer.text
        if "X-HMA-Snapshot" in answer.headers and matches(api, signal) is not expected:
            wrong.append(what)

    assert not matches(api, signals[0])
    for signal in signals:
        added = api.post("/c/bank/B/signal", json={"pdq": signal})
        check("add", added, signal, True)
        content = f"/c/bank/B/content/{added.json()['id']}"
        check("disable", api.put(content, json={"disable_until_ts": 0}), signal, False)
        check("enable", api.put(content, json={"disable_until_ts": 1}), signal, True)
        check("ratio 0", api.put("/c/bank/B", json={"enabled_ratio": 0}), signal, False)
        check("ratio 1", api.put("/c/bank/B", json={"enabled_ratio": 1}), signal, True)
        check("delete", api.delete(content), signal, False)
    assert wrong == []


def test_the_next_photo_after_a_switch(api: Served) -> None:
    """A type that is switched off or on is hashed, or not, from the next photo on."""

    def ask() -> int:
        return api.post("/h/hash", files={"photo": photograph()}).status_code

    assert ask() == 200
    for ratio, expected in ((0, 400), (1, 200), (0, 400)):
        api.put("/c/signal_type/pdq", json={"enabled_ratio": ratio})
        assert ask() == expected
