"""Marks: what has changed since it was last published.

A mark is written in the transaction of the change itself, so the two are seen together or not
at all. A publisher that reads the marks first and the state they mark afterwards can't miss one:
a later change leaves a mark of another version, which clearing the earlier one doesn't take along.

**Order of locks** (PostgreSQL): the bank, its content, then marks by type and content id. Every
transaction of the catalog keeps it, so none ever waits in a circle.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, bindparam, delete, literal
from sqlmodel import Session, col, select

from core.catalog.database import Database, upsert
from core.catalog.models import DirtyRow
from core.index.entry import Mark

CLEARED_AT_ONCE = 1000


class Marks:
    """All marks of one catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, signal_type: str, limit: int, ids: range | None = None) -> list[Mark]:
        """The first `limit` marks of this type by content id.

        Args:
            ids: only of content within these.
        """
        within = () if ids is None else (col(DirtyRow.content_id).between(ids.start, ids.stop - 1),)
        with self._database.reading() as session:
            rows = session.exec(
                select(DirtyRow.content_id, DirtyRow.version)
                .where(DirtyRow.signal_type == signal_type, *within)
                .order_by(col(DirtyRow.content_id))
                .limit(limit)
            )
            return [Mark(content_id, version) for content_id, version in rows]

    def clear(self, signal_type: str, marks: Sequence[Mark]) -> None:
        """Forget those marks whose version is still the same, some at a time. Safe to repeat.

        Not in one transaction: the rest of the catalog isn't kept waiting, and clearing again what
        an interrupted call has left is harmless.
        """
        unchanged = delete(DirtyRow).where(
            col(DirtyRow.signal_type) == signal_type,
            col(DirtyRow.content_id) == bindparam("id"),
            col(DirtyRow.version) == bindparam("seen"),
        )
        ordered = sorted(marks, key=lambda mark: mark.content_id)
        for start in range(0, len(ordered), CLEARED_AT_ONCE):
            chunk = ordered[start : start + CLEARED_AT_ONCE]
            with self._database.writing() as session:
                session.connection().execute(
                    unchanged, [{"id": mark.content_id, "seen": mark.version} for mark in chunk]
                )


def mark(session: Session, changed: Select[*tuple[Any, ...]]) -> None:
    """Mark what the query `changed` yields, as (signal type, content id), in one statement.

    A bank of a million is marked by the database alone, and nothing of it passes through here.
    """
    rows = changed.add_columns(literal(uuid4().hex)).distinct().order_by(*changed.selected_columns)
    insert = upsert(session, DirtyRow).from_select(["signal_type", "content_id", "version"], rows)
    session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["signal_type", "content_id"],
            set_={"version": insert.excluded.version},
        )
    )


def mark_all(session: Session, changed: Collection[tuple[str, int]]) -> None:
    """Mark each of `changed`, (signal type, content id), in the order of locks."""
    if not changed:
        return
    version = uuid4().hex
    insert = upsert(session, DirtyRow)
    session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["signal_type", "content_id"],
            set_={"version": insert.excluded.version},
        ),
        [
            {"signal_type": name, "content_id": content_id, "version": version}
            for name, content_id in sorted(changed)
        ],
    )
