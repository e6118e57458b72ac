"""The tables. A change here needs a file in `migrations/versions`: a test compares the two."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    false,
)
from sqlmodel import Field, SQLModel

NAME_LENGTH = 255
NOTE_LENGTH = 255

BigInt = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both. SQLite's INTEGER has them too, and no other name gives ids never used again."""


class Row(SQLModel):
    """Base of all rows. Constraints have names, so that a later migration can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class BankRow(Row, table=True):
    """A bank. Its id is never given to another one."""

    __tablename__ = "bank"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    name: str = Field(max_length=NAME_LENGTH, unique=True)
    enabled_ratio: float
    allow_list: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    thresholds: dict[str, int] | None = Field(default=None, sa_column=Column(JSON(True)))
    crops: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class ContentRow(Row, table=True):
    """One banked thing. Clients keep its id, which is never given to another one."""

    __tablename__ = "content"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    bank_id: int = Field(foreign_key="bank.id", index=True, sa_type=BigInt)
    disable_until_ts: int = Field(sa_type=BigInt)
    original_media_uri: str | None = Field(default=None, sa_type=Text)
    # Not JSONB, which changes numbers and the order of keys. `metadata` is SQLModel's own.
    curated: dict[str, Any] | None = Field(default=None, sa_column=Column("metadata", JSON(True)))
    note: str | None = Field(default=None, max_length=NOTE_LENGTH)


class SignalRow(Row, table=True):
    """One signal of a content, which may have several of one type: ordinals 0, 1, …

    One of a crop of it is matched like the others, and shown to nobody.
    """

    __tablename__ = "signal"
    __table_args__ = (Index(None, "signal_type", "content_id"),)

    content_id: int = Field(foreign_key="content.id", primary_key=True, sa_type=BigInt)
    signal_type: str = Field(primary_key=True, max_length=NAME_LENGTH)
    ordinal: int = Field(default=0, primary_key=True)
    value: str = Field(sa_type=Text)
    crop: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class LabelRow(Row, table=True):
    """One word that curators gave a content, to find it by."""

    __tablename__ = "label"
    __table_args__ = (Index(None, "name", "content_id"),)

    content_id: int = Field(
        foreign_key="content.id", primary_key=True, ondelete="CASCADE", sa_type=BigInt
    )
    name: str = Field(primary_key=True, max_length=NAME_LENGTH)


class DirtyRow(Row, table=True):
    """A mark: this content of this signal type has changed and awaits publication.

    No foreign key: a mark outlives the content whose removal it announces.
    """

    __tablename__ = "dirty"

    signal_type: str = Field(primary_key=True, max_length=NAME_LENGTH)
    content_id: int = Field(primary_key=True, sa_type=BigInt)
    version: str = Field(max_length=32)


class LeaseRow(Row, table=True):
    """Who holds what until when, in Unix seconds of the database's clock."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, max_length=NAME_LENGTH)
    holder: str = Field(max_length=NAME_LENGTH)
    until: float


class ExchangeRow(Row, table=True):
    """A list that others keep, and the bank that it feeds, which is made with it."""

    __tablename__ = "exchange"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    name: str = Field(max_length=NAME_LENGTH, unique=True)
    api: str = Field(max_length=NAME_LENGTH)
    config: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    enabled: bool = True
    bank_id: int = Field(foreign_key="bank.id", unique=True, sa_type=BigInt)
    report_opinions: bool = False


class ExchangeStateRow(Row, table=True):
    """How far an exchange has been fetched. Every exchange has one; times are Unix seconds.

    A fetch that begins at the start of the list is a new round: what has not been seen again
    when it ends is gone there, and is removed here if `sweeping`.
    """

    __tablename__ = "exchange_state"

    exchange_id: int = Field(
        foreign_key="exchange.id", primary_key=True, ondelete="CASCADE", sa_type=BigInt
    )
    checkpoint: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(True)))
    checkpoint_ts: int | None = Field(default=None, sa_type=BigInt)
    running_fetch_start_ts: int | None = Field(default=None, sa_type=BigInt)
    last_fetch_complete_ts: int | None = Field(default=None, sa_type=BigInt)
    last_fetch_succeeded: bool | None = None
    up_to_date: bool = False
    error: str | None = Field(default=None, sa_type=Text)
    # Whose fetch may write: one that slept while another took over must not.
    holder: str | None = Field(default=None, max_length=NAME_LENGTH)
    round: int = 0
    sweeping: bool = False
    # The signal types that the checkpoint speaks for: one more, and there is more to fetch.
    signal_types: list[str] | None = Field(default=None, sa_column=Column(JSON(True)))
    failures: int = 0
    next_try_ts: int = Field(default=0, sa_type=BigInt)


class ExchangeRecordRow(Row, table=True):
    """One record of an exchange under its key as text, and the content that it became.

    A record that could not be understood is kept as well, with the reason, and has none.
    """

    __tablename__ = "exchange_record"
    __table_args__ = (UniqueConstraint("exchange_id", "key"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    exchange_id: int = Field(foreign_key="exchange.id", ondelete="CASCADE", sa_type=BigInt)
    key: str = Field(sa_type=Text)
    record: Any = Field(default=None, sa_column=Column(JSON(True)))
    content_id: int | None = Field(
        default=None, foreign_key="content.id", unique=True, ondelete="SET NULL", sa_type=BigInt
    )
    poison: str | None = Field(default=None, sa_type=Text)
    round: int = 0


class CredentialRow(Row, table=True):
    """What an exchange API is asked with, sealed as far as there is a key."""

    __tablename__ = "credential"

    api: str = Field(primary_key=True, max_length=NAME_LENGTH)
    sealed: str = Field(sa_type=Text)


class OpinionRow(Row, table=True):
    """What we found of an exchange's record, and whether the exchange has been told.

    No foreign key to the content: what we found is told also when the content has gone since.
    """

    __tablename__ = "opinion_queue"
    __table_args__ = (Index(None, "state", "next_try_ts"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    content_id: int = Field(index=True, sa_type=BigInt)
    exchange_id: int = Field(
        foreign_key="exchange.id", index=True, ondelete="CASCADE", sa_type=BigInt
    )
    record_key: str = Field(sa_type=Text)
    opinion: str = Field(max_length=32)
    state: str = Field(max_length=32)
    attempts: int = 0
    next_try_ts: int = Field(default=0, sa_type=BigInt)
    error: str | None = Field(default=None, sa_type=Text)


class SignalTypeOverrideRow(Row, table=True):
    """A signal type that takes part in another share of lookups than all; 0 disables it."""

    __tablename__ = "signal_type_override"

    name: str = Field(primary_key=True, max_length=NAME_LENGTH)
    enabled_ratio: float


class TransferredRow(Row, table=True):
    """A bank, exchange or type override that was moved here, under its key there.

    The digest is of its state there when it was last written here: what has not changed there
    since is left as it is here.
    """

    __tablename__ = "moved"

    noun: str = Field(primary_key=True, max_length=32)
    key: str = Field(primary_key=True, max_length=NAME_LENGTH)
    local_id: int = Field(sa_type=BigInt)
    digest: str = Field(max_length=32)


class TransferredContentRow(Row, table=True):
    """Content that was moved here, which keeps its id; the digest is as `TransferredRow`'s.

    No foreign key: what has been deleted here since must not come back by itself.
    """

    __tablename__ = "moved_content"

    content_id: int = Field(
        primary_key=True, sa_type=BigInt, sa_column_kwargs={"autoincrement": False}
    )
    digest: str = Field(max_length=32)
