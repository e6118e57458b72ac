"""Migrations make what the models say, once, whoever starts at the same time."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import sqlalchemy
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import text

from core.catalog import Catalog
from core.catalog.models import Row
from core.errors import Misconfigured
from tests.core.catalog.processes import migrate
from tests.forked import CONTEXT, ends_well, start


def test_the_migrations_make_the_tables_of_the_models(catalog: Catalog) -> None:
    """If not, this prints what the missing migration has to do."""
    with catalog._database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        missing = produce_migrations(context, Row.metadata).upgrade_ops
    assert missing is not None
    assert missing.is_empty(), render_python_code(missing)


def test_the_comparison_sees_a_difference(catalog: Catalog) -> None:
    """So the test above can fail."""
    with catalog._database.engine.connect() as connection:
        for change in (
            "ALTER TABLE content ADD COLUMN unknown INTEGER",
            "DROP INDEX ix_signal_signal_type_content_id",
        ):
            connection.execute(text(change))
        found = produce_migrations(MigrationContext.configure(connection), Row.metadata)
        assert found.upgrade_ops is not None
        code = render_python_code(found.upgrade_ops)
    assert "op.drop_column('content', 'unknown')" in code
    assert "op.create_index" in code


def test_constraints_and_keys_are_those_of_the_models(catalog: Catalog) -> None:
    """Of which the comparison above does not see all."""
    inspector = sqlalchemy.inspect(catalog._database.engine)
    for table in Row.metadata.sorted_tables:
        key = inspector.get_pk_constraint(table.name)
        assert key["constrained_columns"] == [column.name for column in table.primary_key]
        # SQLite forgets the name of a key that counts by itself.
        assert key["name"] in (table.primary_key.name, None)
        foreign = {(key["name"], *key["constrained_columns"], key["referred_table"])
                   for key in inspector.get_foreign_keys(table.name)}  # fmt: skip
        assert foreign == {
            (key.name, *(column.name for column in key.columns), key.referred_table.name)
            for key in table.foreign_key_constraints
        }


def test_migrating_again_changes_nothing(url: str, catalog: Catalog) -> None:
    """Neither by the same process nor by another."""
    bank = catalog.banks.create("A")
    catalog.migrate()
    another = Catalog(url)
    another.migrate()
    assert another.banks.every() == [bank]
    another.close()


def test_8_processes_may_migrate_at_once(new_url: Callable[[], str]) -> None:
    """Empty databases, as when the workers of a first deployment start; several, for the odds."""
    together = CONTEXT.Barrier(8)
    urls = [new_url() for _ in range(8)]
    assert ends_well([start(migrate, urls, together) for _ in range(8)])


def test_an_interrupted_migration_leaves_nothing(
    new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next start finds what it expects."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    catalog = Catalog(new_url())
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", interrupted)
        with pytest.raises(KeyboardInterrupt):
            catalog.migrate()
    assert sqlalchemy.inspect(catalog._database.engine).get_table_names() == []
    catalog.migrate()
    assert catalog.banks.every() == []
    catalog.close()


def test_a_database_of_a_newer_version_is_left_alone(catalog: Catalog) -> None:
    """Older code refuses it and says why, rather than writing what it does not know."""
    with catalog._database.writing() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer version"):
        catalog.migrate()


def test_a_catalog_that_is_up_to_date_is_not_waited_for(url: str, catalog: Catalog) -> None:
    """A process may start while another one writes. Its own program: it must not hang ours."""
    with catalog._database.writing():
        catalog_starts = subprocess.run(
            [sys.executable, "-c", "import sys; from core.catalog import Catalog;"
             "Catalog(sys.argv[1]).migrate()", url],
            check=False,
            timeout=15,
        )  # fmt: skip
    assert catalog_starts.returncode == 0
