"""Banks that were transferred here, each known by its key there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import delete, literal
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from core.catalog.database import Database
from core.catalog.marks import mark
from core.catalog.models import BankRow, ContentRow, ExchangeRow, SignalRow
from core.catalog.transfer.origin import (
    Refuse,
    Verdict,
    count_written,
    delete_origin,
    delete_others,
    is_unchanged,
    local_id_of,
    lock_local,
    read_origin,
    read_origins,
    write_origin,
)
from core.errors import Forbidden
from core.index.entry import BANKS


@dataclass(frozen=True)
class TransferredBank:
    """A bank as it is elsewhere, `key` being its id there."""

    key: str
    name: str
    enabled_ratio: float


class TransferredBanks:
    """Banks that were transferred. Their content goes first: `TransferredContents.delete`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self, banks: Sequence[TransferredBank], refuse: Refuse, *, overwrite: bool
    ) -> tuple[dict[str, int], int]:
        """Make or change banks; the id here of each by its key, and how many were written."""
        ids, written = {}, 0
        with self._database.writing() as session:
            _free_names(session, banks, overwrite=overwrite)
            for bank in banks:
                what = f"bank {bank.name}"
                try:
                    ids[bank.key], verdict = _keep(session, bank, overwrite=overwrite)
                    written += count_written(what, verdict, refuse)
                except Forbidden as error:
                    refuse(what, error.message)
        return ids, written

    def delete_others(self, kept: Collection[str], refuse: Refuse) -> int:
        """Delete those that were transferred and whose key is none of `kept`; how many."""
        with self._database.writing() as session:
            return delete_others(session, "bank", kept, refuse, _delete)


def _free_names(session: Session, banks: Sequence[TransferredBank], *, overwrite: bool) -> None:
    """Give names of their own to banks about to be renamed, so that two may swap theirs.

    A bank whose new name a bank made here has keeps its own: `_keep` will refuse it.
    """
    origins = read_origins(session, "bank")
    transferred = {origin.local_id for origin in origins.values()}
    own = {row.name for row in session.exec(select(BankRow)) if row.id not in transferred}
    for bank in banks:
        row = lock_local(session, BankRow, origins.get(bank.key))
        left_alone = is_unchanged(origins.get(bank.key), bank) and not overwrite
        if row is not None and row.name != bank.name and not left_alone and bank.name not in own:
            row.name = f"_MOVING_{uuid4().hex}"
    session.flush()


def _keep(session: Session, bank: TransferredBank, *, overwrite: bool) -> tuple[int, Verdict]:
    """Make or change a bank as it is there; one made here of its name becomes this one.

    Raises:
        Forbidden: it was deleted here, or renamed there to the name of another bank here.
    """
    origin = read_origin(session, "bank", bank.key)
    row = lock_local(session, BankRow, origin)
    left_alone = is_unchanged(origin, bank) and not overwrite
    named = session.exec(select(BankRow).where(BankRow.name == bank.name)).one_or_none()
    if row is None:
        if left_alone:
            raise Forbidden("was deleted here, with its content, and not there")
        row = named or BankRow(name="", enabled_ratio=0.0)
    same = (row.name, row.enabled_ratio) == (bank.name, bank.enabled_ratio)
    if left_alone or (same and is_unchanged(origin, bank)):
        return local_id_of(row), "same" if same else "changed here"
    if named not in (None, row):
        raise Forbidden(f"was renamed from {row.name}, and another bank here has the name")
    row.name, row.enabled_ratio = bank.name, bank.enabled_ratio
    session.add(row)
    session.flush()
    write_origin(session, "bank", bank, local_id_of(row))
    types = select_columns(col(SignalRow.signal_type), literal(BANKS))
    within = types.join(ContentRow, col(ContentRow.id) == SignalRow.content_id)
    mark(session, within.where(col(ContentRow.bank_id) == row.id))
    return local_id_of(row), "written"


def _delete(session: Session, key: str) -> None:
    """Delete a bank that is gone there.

    Raises:
        Forbidden: it holds content made here, or an exchange feeds it.
    """
    row = lock_local(session, BankRow, read_origin(session, "bank", key))
    if row is not None:
        held = session.exec(select(ContentRow.id).where(ContentRow.bank_id == row.id).limit(1))
        if held.first() is not None:
            raise Forbidden(f"bank {row.name} is gone there, but holds content made here")
        fed = session.exec(select(ExchangeRow).where(ExchangeRow.bank_id == row.id)).first()
        if fed is not None:
            raise Forbidden(f"bank {row.name} is gone there, but {fed.name} feeds it here")
        session.connection().execute(delete(BankRow).where(col(BankRow.id) == row.id))
    delete_origin(session, "bank", key)
