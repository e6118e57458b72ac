"""Each test of the engine runs over both databases, with a store, an index and a scripted list."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.exchanges.registry import ExchangeApis
from tests.core.catalog.conftest import kind, url  # noqa: F401  # fixtures
from tests.core.exchanges.scripted import Scripted, api_of
from tests.deployment import Deployment, settings_for


@pytest.fixture
def script() -> Scripted:
    """What the exchange of this test says."""
    return Scripted()


@pytest.fixture
def deploy(tmp_path: Path, url: str, script: Scripted) -> Iterator[Callable[..., Deployment]]:  # noqa: F811
    """Makes deployments on the same database; their one exchange API reads the script."""
    made: list[Deployment] = []

    def deployment(**settings: object) -> Deployment:
        made.append(Deployment(settings_for(tmp_path, database_url=url, **settings)))
        made[-1].exchange_apis = ExchangeApis({"scripted": api_of(script)})
        return made[-1]

    yield deployment
    for one in made:
        one.catalog.close()


@pytest.fixture
def services(deploy: Callable[..., Deployment]) -> Deployment:
    """A deployment with the exchange `LIST`, which has not been fetched yet."""
    services = deploy()
    services.catalog.exchanges.create("LIST", "scripted", {})
    return services
