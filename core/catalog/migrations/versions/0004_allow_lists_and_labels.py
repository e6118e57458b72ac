"""Allow-lists and thresholds of banks; labels of content."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG_INT = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Let banks say how they match, and content be labelled."""
    op.add_column(
        "bank", sa.Column("allow_list", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("bank", sa.Column("thresholds", sa.JSON, nullable=True))
    op.create_table(
        "label",
        sa.Column("content_id", BIG_INT, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("content_id", "name", name="pk_label"),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name="fk_label_content_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_label_name_content_id", "label", ["name", "content_id"])
