"""Ids of content that are kept free for what is still to be transferred."""

from sqlalchemy import text
from sqlmodel import Session


def reserve_ids(session: Session, last: int) -> None:
    """See to it that content made here from now on has an id above `last`.

    Before anything else in a transaction: it may lock the table, against all who write to it.
    """
    run = session.connection().execute
    if session.get_bind().dialect.name == "sqlite":
        run(text("INSERT INTO sqlite_sequence (name, seq) SELECT 'content', 0 WHERE NOT EXISTS "
                 "(SELECT 1 FROM sqlite_sequence WHERE name = 'content')"))  # fmt: skip
        run(
            text("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = 'content'"),
            {"last": last},
        )
        return
    sequence = run(text("SELECT pg_get_serial_sequence('content', 'id')")).scalar_one()
    now = text(f"SELECT last_value FROM {sequence}")  # noqa: S608  # its own name
    if run(now).scalar_one() < last:
        # Whoever inserts must not take an id between our look at the sequence and our change.
        run(text("LOCK TABLE content IN SHARE ROW EXCLUSIVE MODE"))
        if run(now).scalar_one() < last:
            run(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
