"""The time that one call of the fetch function works: as it is asked to, or as it is configured."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from core.exchanges.registry import ExchangeApis
from functions import fetch
from tests.core.exchanges.scripted import SECRET, Scripted, api_of, of
from tests.deployment import Deployment, settings_for
from tests.hosted import app_of, hosted

SHORT = 0.2
"""Seconds; the exchange takes longer for its first page."""


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Callable[..., tuple[str, list[int]]]]:
    """Hosts the fetch function, with settings by keyword; its address and the pages asked for."""
    asked: list[int] = []

    def page(position: int) -> None:
        asked.append(position)
        time.sleep(2 * SHORT)

    script = Scripted([(f"k{n}", of(n)) for n in range(25)], before=page)
    with ExitStack() as stack:

        def host(**settings: object) -> tuple[str, list[int]]:
            services = Deployment(settings_for(tmp_path, **settings))
            services.exchange_apis = ExchangeApis({"scripted": api_of(script)})
            services.catalog.exchanges.create("LIST", "scripted", {})
            services.credentials.set("scripted", {"token": SECRET})
            url = stack.enter_context(hosted(app_of(services, fetch.router)))
            return url, asked

        yield host


@pytest.mark.parametrize("query", [{}, {"exchange": "LIST"}])
@pytest.mark.parametrize(
    ("settings", "seconds", "pages"),
    [
        ({"fetch_seconds": SHORT}, {}, [0]),
        ({"fetch_seconds": 60}, {"seconds": SHORT}, [0]),
        ({"fetch_seconds": SHORT}, {"seconds": 60}, [0, 10, 20]),
        ({"fetch_seconds": 60}, {}, [0, 10, 20]),
    ],
)
def test_a_call_asks_for_no_page_after_its_time(
    fetching: Callable[..., tuple[str, list[int]]],
    query: dict[str, str | float],
    settings: dict[str, float],
    seconds: dict[str, str | float],
    pages: list[int],
) -> None:
    """The request's `seconds` go before the setting, for one exchange and for all that are due."""
    url, asked = fetching(**settings)
    answer = requests.post(f"{url}/fetch", params={**query, **seconds}, timeout=60)
    assert answer.json()["exchanges"]["LIST"]["fetched"] == min(25, 10 * len(pages)), answer.text
    assert asked == pages
