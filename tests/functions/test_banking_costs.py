"""What banking one content costs the catalog, through the routes that people bank by.

Without publishing, which follows the commit, has transactions of its own and may fail or take
longer than an answer waits: the store is away here, and the answer names no snapshot.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from sqlalchemy import event

from core.errors import BadInput, StoreUnavailable
from core.index.publishing.publish import Publisher
from functions.curating import content_routes
from functions.web.app import build
from tests.core.catalog.conftest import kind, url  # noqa: F401  # fixtures
from tests.deployment import BANK, Deployment, settings_for
from tests.pictures import photograph

MOST_TRANSACTIONS = 3
SIGNALS = {"pdq": "0123456789abcdef" * 4, "video_md5": "0a" * 16}


class AwayPublisher(Publisher):
    """The publisher of a deployment whose store is away."""

    def publish(self, signal_type: str) -> int:
        raise StoreUnavailable(f"no store for {signal_type}")


@pytest.fixture
def deployment(url: str, tmp_path: Path) -> Iterator[Deployment]:  # noqa: F811  # a fixture
    """A deployment with a bank, on either database, whose store is away."""
    settings = settings_for(tmp_path, database_url=url)
    deployment = Deployment(settings)
    deployment.catalog.banks.create(BANK)
    source, types = deployment.catalog.source, deployment.signal_types
    deployment.publisher = AwayPublisher(source, deployment.store, types, settings)
    yield deployment
    deployment.catalog.close()


@pytest.fixture
def address(deployment: Deployment) -> Iterator[str]:
    """Where its banking routes are served, in this process."""
    app = build(content_routes.router, services=deployment)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "it did not start"
        time.sleep(0.01)  # for it to get there
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("route", "request_body"),
    [
        ("signal", {"json": SIGNALS}),
        ("content", {"files": {"photo": ("photo.png", photograph(), "image/png")}}),
    ],
)
def test_banking_takes_few_transactions(
    deployment: Deployment, address: str, route: str, request_body: dict[str, Any]
) -> None:
    """One read before anything is hashed, and one write that checks again; reads counted too."""
    transactions: list[object] = []
    engine = deployment.catalog._database.engine
    event.listen(engine, "begin", transactions.append)
    answer = requests.post(f"{address}/c/bank/{BANK}/{route}", timeout=60, **request_body)
    assert answer.status_code == 200, answer.text
    assert deployment.catalog.contents.get(BANK, answer.json()["id"]).signals["pdq"]
    reading_back = 1
    assert 2 <= len(transactions) - reading_back <= MOST_TRANSACTIONS


def test_a_type_switched_off_meanwhile_gets_no_content(deployment: Deployment) -> None:
    """What was on before a picture was hashed is looked at again where the content is made."""
    deployment.catalog.signal_types.set_ratio("pdq", 0)
    with pytest.raises(BadInput, match="No such signal type pdq"):
        deployment.catalog.contents.add(BANK, SIGNALS)
    assert deployment.catalog.banks.count_contents(BANK).contents == 0
    deployment.catalog.signal_types.set_ratio("pdq", 0.5)
    assert deployment.catalog.contents.add(BANK, SIGNALS).signals == SIGNALS
