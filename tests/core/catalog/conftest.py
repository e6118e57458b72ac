"""Each test of the catalog runs over both databases, on an empty one of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from core.catalog import Catalog
from tests.migrated import on_postgres, on_sqlite
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database that this test is about."""
    return str(request.param)


@pytest.fixture
def new_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes databases without tables."""
    if kind == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/{uuid4().hex}.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A catalog's database, with its tables and nothing in them."""
    if kind == "sqlite":
        return on_sqlite(tmp_path / f"{uuid4().hex}.db")
    return on_postgres(request.getfixturevalue("postgres"))


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """The same as a catalog."""
    catalog = Catalog(url)
    yield catalog
    catalog.close()
