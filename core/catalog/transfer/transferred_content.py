"""Content that is transferred: many at once, ids kept, each batch all or nothing.

Beside content that was transferred stands a digest of its state where it came from. So a later
run finds by ids and digests alone what has changed there, and leaves alone what has not, whatever
was done to it here.
"""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import delete, exists, func
from sqlalchemy import select as select_columns
from sqlmodel import col

from core.catalog.database import Database
from core.catalog.marks import mark
from core.catalog.models import BankRow, ContentRow, SignalRow, TransferredContentRow
from core.catalog.transfer.content_state import ContentState, read_states
from core.catalog.transfer.content_writer import (
    content_columns,
    delete_contents,
    hold_banks,
    insert_contents,
    insert_labels,
    insert_signals,
    locked,
    read_superseded,
    typed_contents,
    upsert_rows,
    write_records,
)
from core.catalog.transfer.ids import reserve_ids

AT_ONCE = 1000
"""Contents in one transaction, which bounds memory and how long others wait for it."""


class TransferredContents:
    """Content of one catalog in bulk. All that write may be repeated, save `add`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve_ids(self, last: int) -> None:
        """See to it that content made here from now on has an id above `last`."""
        with self._database.writing() as session:
            reserve_ids(session, last)

    def put(self, states: Sequence[ContentState]) -> set[int]:
        """Write content that is transferred, at most `AT_ONCE`, as these states say.

        A record of an exchange that had become other content here becomes this one, and the other
        goes: clients know the id that is transferred.

        Returns:
            The ids that content made here has already. That content stays as it is.
        """
        with self._database.writing() as session:
            hold_banks(session, {state.bank_id for state in states})
            ids = [state.id for state in states if state.id is not None]
            known = select_columns(col(TransferredContentRow.content_id)).where(
                col(TransferredContentRow.content_id).in_(ids)
            )
            present = set(session.execute(locked(ids)).scalars())
            transferred = set(session.execute(known).scalars())
            taken = present - transferred
            written = [state for state in states if state.id not in taken]
            changed = sorted(present & transferred)
            delete_contents(session, sorted(read_superseded(session, written)))
            mark(session, typed_contents(changed))
            former = col(SignalRow.content_id).in_(changed)
            session.connection().execute(delete(SignalRow).where(former))
            upsert_rows(session, ContentRow, "id", [content_columns(state) for state in written])
            insert_signals(session, [(state.id, state) for state in written])
            write_records(session, written, changed)
            digests = [{"content_id": state.id, "digest": state.digest} for state in written]
            upsert_rows(session, TransferredContentRow, "content_id", digests)
            mark(session, typed_contents([id_ for id_ in ids if id_ not in taken]))
            return taken

    def delete(self, ids: Sequence[int]) -> int:
        """Delete transferred content, at most `AT_ONCE`; how many of it were still here."""
        transferred = col(TransferredContentRow.content_id).in_(ids)
        with self._database.writing() as session:
            gone = delete_contents(session, list(session.execute(locked(ids)).scalars()))
            session.connection().execute(delete(TransferredContentRow).where(transferred))
            return gone

    def add(self, states: Sequence[ContentState]) -> list[int]:
        """New content, at most `AT_ONCE`; their ids, which are made here where they have none.

        Content whose id is taken is left out, so the ids may be fewer.
        """
        with self._database.writing() as session:
            numbered = [state.id for state in states if state.id is not None]
            if numbered:
                reserve_ids(session, max(numbered))
            hold_banks(session, {state.bank_id for state in states})
            taken = set(session.execute(locked(numbered)).scalars())
            kept = [state for state in states if state.id is not None and state.id not in taken]
            upsert_rows(session, ContentRow, "id", [content_columns(state) for state in kept])
            owned: list[tuple[int | None, ContentState]] = [(state.id, state) for state in kept]
            if unnumbered := [state for state in states if state.id is None]:
                owned += zip(insert_contents(session, unnumbered), unnumbered, strict=True)
            insert_signals(session, owned)
            insert_labels(session, owned)
            ids = [content_id for content_id, _ in owned if content_id is not None]
            mark(session, typed_contents(ids))
            return ids

    def digests(self) -> Iterator[tuple[int, str]]:
        """Id and digest of all content that was transferred, by ascending id, read as iterated."""
        last = 0
        while True:
            page = (
                select_columns(
                    col(TransferredContentRow.content_id), col(TransferredContentRow.digest)
                )
                .where(col(TransferredContentRow.content_id) > last)
                .order_by(col(TransferredContentRow.content_id))
                .limit(AT_ONCE)
            )
            with self._database.reading() as session:
                rows = session.connection().execute(page).all()
            if not rows:
                return
            yield from ((content_id, digest) for content_id, digest in rows)
            last = rows[-1][0]

    def states(self, bank_ids: Collection[int] | None = None) -> Iterator[ContentState]:
        """The present state of content by ascending id, read as it is iterated.

        Args:
            bank_ids: of these banks all content; None: of all banks what was transferred.
        """
        last = 0
        while True:
            page = select_columns(ContentRow).where(col(ContentRow.id) > last)
            if bank_ids is None:
                page = page.where(
                    exists().where(col(TransferredContentRow.content_id) == ContentRow.id)
                )
            else:
                page = page.where(col(ContentRow.bank_id).in_(bank_ids))
            with self._database.reading() as session:
                batch = read_states(session, page.order_by(col(ContentRow.id)).limit(AT_ONCE))
            if not batch:
                return
            yield from batch
            assert batch[-1].id is not None
            last = batch[-1].id

    def present(self, ids: Sequence[int]) -> dict[int, ContentState]:
        """The present state of those of `ids`, at most `AT_ONCE`, that are here, by id."""
        page = select_columns(ContentRow).where(col(ContentRow.id).in_(ids))
        with self._database.reading() as session:
            states = read_states(session, page)
        return {state.id: state for state in states if state.id is not None}

    def counts(self) -> dict[tuple[str | None, str | None], tuple[int, int]]:
        """By bank and signal type how many signals were transferred, and how many made here.

        Under the type None stands how many contents that were.
        """
        transferred = col(TransferredContentRow.content_id)
        made_here = func.count(col(ContentRow.id)) - func.count(transferred)
        how_many = (func.count(transferred), made_here)
        contents = (
            select_columns(col(BankRow.name), *how_many)
            .outerjoin(ContentRow, col(ContentRow.bank_id) == BankRow.id)
            .outerjoin(TransferredContentRow, transferred == ContentRow.id)
            .group_by(col(BankRow.name))
        )
        signals = (
            select_columns(col(BankRow.name), col(SignalRow.signal_type), *how_many)
            .join(ContentRow, col(ContentRow.bank_id) == BankRow.id)
            .join(SignalRow, col(SignalRow.content_id) == ContentRow.id)
            .outerjoin(TransferredContentRow, transferred == ContentRow.id)
            .where(~col(SignalRow.crop))
            .group_by(col(BankRow.name), col(SignalRow.signal_type))
        )
        with self._database.reading() as session:
            run = session.connection().execute
            counts: dict[tuple[str | None, str | None], tuple[int, int]] = {
                (bank, None): (there, here) for bank, there, here in run(contents)
            }
            return counts | {
                (bank, name): (there, here) for bank, name, there, here in run(signals)
            }
