"""Exchanges, what was fetched from them and how far; credentials; opinions; type overrides."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG_INT = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables that fetching needs."""
    op.create_table(
        "exchange",
        sa.Column("id", BIG_INT, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("api", sa.String(255), nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("bank_id", BIG_INT, nullable=False),
        sa.Column("report_opinions", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exchange"),
        sa.UniqueConstraint("name", name="uq_exchange_name"),
        sa.UniqueConstraint("bank_id", name="uq_exchange_bank_id"),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name="fk_exchange_bank_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "exchange_state",
        sa.Column("exchange_id", BIG_INT, nullable=False),
        sa.Column("checkpoint", sa.JSON, nullable=True),
        sa.Column("checkpoint_ts", BIG_INT, nullable=True),
        sa.Column("running_fetch_start_ts", BIG_INT, nullable=True),
        sa.Column("last_fetch_complete_ts", BIG_INT, nullable=True),
        sa.Column("last_fetch_succeeded", sa.Boolean, nullable=True),
        sa.Column("up_to_date", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("holder", sa.String(255), nullable=True),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("sweeping", sa.Boolean, nullable=False),
        sa.Column("signal_types", sa.JSON, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_try_ts", BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", name="pk_exchange_state"),
        _of_exchange("exchange_state"),
    )
    op.create_table(
        "exchange_record",
        sa.Column("id", BIG_INT, nullable=False),
        sa.Column("exchange_id", BIG_INT, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=True),
        sa.Column("content_id", BIG_INT, nullable=True),
        sa.Column("poison", sa.Text, nullable=True),
        sa.Column("round", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exchange_record"),
        sa.UniqueConstraint("exchange_id", "key", name="uq_exchange_record_exchange_id_key"),
        sa.UniqueConstraint("content_id", name="uq_exchange_record_content_id"),
        _of_exchange("exchange_record"),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name="fk_exchange_record_content_id",
            ondelete="SET NULL",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "credential",
        sa.Column("api", sa.String(255), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("api", name="pk_credential"),
    )
    op.create_table(
        "opinion_queue",
        sa.Column("id", BIG_INT, nullable=False),
        sa.Column("content_id", BIG_INT, nullable=False),
        sa.Column("exchange_id", BIG_INT, nullable=False),
        sa.Column("record_key", sa.Text, nullable=False),
        sa.Column("opinion", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_ts", BIG_INT, nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_opinion_queue"),
        _of_exchange("opinion_queue"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_opinion_queue_content_id", "opinion_queue", ["content_id"])
    op.create_index("ix_opinion_queue_exchange_id", "opinion_queue", ["exchange_id"])
    op.create_index("ix_opinion_queue_state_next_try_ts", "opinion_queue", ["state", "next_try_ts"])
    op.create_table(
        "signal_type_override",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("enabled_ratio", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_signal_type_override"),
    )


def _of_exchange(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["exchange_id"], ["exchange.id"], name=f"fk_{table}_exchange_id", ondelete="CASCADE"
    )
