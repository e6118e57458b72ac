"""What was moved here from another database, and its state there when it was."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG_INT = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables that moving needs."""
    op.create_table(
        "moved",
        sa.Column("noun", sa.String(32), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("local_id", BIG_INT, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("noun", "key", name="pk_moved"),
    )
    op.create_table(
        "moved_content",
        sa.Column("content_id", BIG_INT, nullable=False, autoincrement=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("content_id", name="pk_moved_content"),
    )
