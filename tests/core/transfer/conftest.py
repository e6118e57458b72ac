"""An HMA to move from, and a catalog on either database to move to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from core.catalog import Catalog
from core.catalog.models import Row as CatalogRow
from core.services import Services
from core.settings import Settings
from core.transfer.hma_database import open_hma_database
from core.transfer.import_hma import HmaImport, Outcome
from core.transfer.problem import Problem
from tests.hma import Hma, Row, new_hma
from tests.migrated import on_postgres, on_sqlite
from tests.postgres import Postgres


@pytest.fixture
def hma(postgres: Postgres) -> Hma:
    """An HMA with banks and an exchange, without content."""
    return new_hma(postgres.new_database())


@pytest.fixture(params=["sqlite", "postgres"])
def new_services(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres
) -> Iterator[Callable[[], Services]]:
    """Makes deployments on new catalogs of the kind that this test is about."""
    made: list[Catalog] = []

    def new() -> Services:
        name = uuid4().hex
        sqlite = request.param == "sqlite"
        settings = Settings(
            database_url=on_sqlite(tmp_path / f"{name}.db") if sqlite else on_postgres(postgres),
            store_url=f"memory://{name}",
            cache_dir=tmp_path / name,
        )
        services = Services(settings)
        made.append(services.catalog)
        return services

    yield new
    for catalog in made:
        catalog.close()


@pytest.fixture
def services(new_services: Callable[[], Services]) -> Services:
    return new_services()


def move(hma: Hma, services: Services, *, overwrite: bool = False) -> tuple[Outcome, list[Problem]]:
    """One run: how it went, and what it reported."""
    problems: list[Problem] = []
    with open_hma_database(hma.url) as database:
        run = HmaImport(
            database,
            services.catalog,
            services.signal_types,
            services.exchange_apis,
            services.credentials,
            report=problems.append,
            progress=lambda *_: None,
            overwrite=overwrite,
        )
        outcome = run.run()
    return outcome, problems


def contents_of(services: Services) -> dict[int, Row]:
    """All content of the catalog, in the form in which the tests write HMA's."""
    banks = {bank.id: bank.name for bank in services.catalog.banks.every()}
    return {
        state.id or 0: Row(
            state.id or 0,
            banks[state.bank_id],
            dict(state.signals),
            state.disable_until_ts,
            state.uri,
            state.metadata,
            state.note,
        )
        for state in services.catalog.transfer.contents.states(banks)
    }


def dump(services: Services) -> dict[str, list[Any]]:
    """Every row of every table of the catalog."""
    with services.catalog._database.reading() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.connection().execute(select(table).order_by(*table.primary_key))
            ]
            for table in CatalogRow.metadata.sorted_tables
        }
