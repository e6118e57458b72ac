"""Banks, content and signals; marks of what awaits publication; leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG_INT = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "bank",
        sa.Column("id", BIG_INT, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("enabled_ratio", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bank"),
        sa.UniqueConstraint("name", name="uq_bank_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "content",
        sa.Column("id", BIG_INT, nullable=False),
        sa.Column("bank_id", BIG_INT, nullable=False),
        sa.Column("disable_until_ts", BIG_INT, nullable=False),
        sa.Column("original_media_uri", sa.Text, nullable=True),
        sa.Column("metadata", sa.JSON, nullable=True),
        sa.Column("note", sa.String(255), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_content"),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name="fk_content_bank_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_content_bank_id", "content", ["bank_id"])
    op.create_table(
        "signal",
        sa.Column("content_id", BIG_INT, nullable=False),
        sa.Column("signal_type", sa.String(255), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("content_id", "signal_type", "ordinal", name="pk_signal"),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name="fk_signal_content_id"),
    )
    op.create_index("ix_signal_signal_type_content_id", "signal", ["signal_type", "content_id"])
    op.create_table(
        "dirty",
        sa.Column("signal_type", sa.String(255), nullable=False),
        sa.Column("content_id", BIG_INT, nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("signal_type", "content_id", name="pk_dirty"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
