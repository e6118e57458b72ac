"""Each test of the catalog runs over both databases, on an empty one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalog import Catalog
from tests.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """A catalog with its tables and nothing in them."""
    catalog = Catalog(url)
    catalog.migrate()
    yield catalog
    catalog.close()
