"""Banks that keep the signals of crops; which signals are such."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let content have signals that are not its own."""
    for table, column in ("bank", "crops"), ("signal", "crop"):
        op.add_column(
            table, sa.Column(column, sa.Boolean, nullable=False, server_default=sa.false())
        )
