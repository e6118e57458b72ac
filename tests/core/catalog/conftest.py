"""Each test of the catalog runs over both databases, on an empty one of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from core.catalog import Catalog
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes databases of the kind that this test is about, without tables."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/{uuid4().hex}.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """An empty database, without tables."""
    return new_url()


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """A catalog with its tables and nothing in them."""
    catalog = Catalog(url)
    catalog.migrate()
    yield catalog
    catalog.close()
