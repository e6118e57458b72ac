"""The tables. A change here needs a file in `migrations/versions`: a test compares the two."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, MetaData, Text
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
    """One signal of a content, which may have several of one type: ordinals 0, 1, …"""

    __tablename__ = "signal"
    __table_args__ = (Index(None, "signal_type", "content_id"),)

    content_id: int = Field(foreign_key="content.id", primary_key=True, sa_type=BigInt)
    signal_type: str = Field(primary_key=True, max_length=NAME_LENGTH)
    ordinal: int = Field(default=0, primary_key=True)
    value: str = Field(sa_type=Text)


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
