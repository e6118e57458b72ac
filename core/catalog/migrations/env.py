"""Run by Alembic, on the connection and in the transaction that `core.catalog.migrate` opened."""

from alembic import context

from core.catalog.models import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
)
context.run_migrations()
