"""Exchanges that were transferred here, each known by its key there."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from core.catalog.database import Database
from core.catalog.models import ExchangeRow, ExchangeStateRow
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
    write_origin,
)
from core.errors import Forbidden


@dataclass(frozen=True)
class TransferredExchange:
    """An exchange as it is elsewhere, `key` being its id there, `bank_id` that of its bank here."""

    key: str
    name: str
    api: str
    config: dict[str, Any] = field(hash=False)
    enabled: bool
    bank_id: int


class TransferredExchanges:
    """Exchanges that were transferred. Their banks come first and go last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self, exchanges: Sequence[TransferredExchange], refuse: Refuse, *, overwrite: bool
    ) -> tuple[dict[str, int], int]:
        """Make or change exchanges; the id here of each by its key, and how many were written."""
        ids, written = {}, 0
        with self._database.writing() as session:
            for exchange in exchanges:
                what = f"exchange {exchange.name}"
                try:
                    ids[exchange.key], verdict = _keep(session, exchange, overwrite=overwrite)
                    written += count_written(what, verdict, refuse)
                except Forbidden as error:
                    refuse(what, error.message)
        return ids, written

    def delete_others(self, kept: Collection[str], refuse: Refuse) -> int:
        """Delete those that were transferred and whose key is none of `kept`; how many."""
        with self._database.writing() as session:
            return delete_others(session, "exchange", kept, refuse, _delete)


def _keep(
    session: Session, exchange: TransferredExchange, *, overwrite: bool
) -> tuple[int, Verdict]:
    """Make or change an exchange as it is there. When it asks for another list, it begins anew.

    Raises:
        Forbidden: it was deleted here, or another exchange here has its name or feeds its bank.
    """
    origin = read_origin(session, "exchange", exchange.key)
    row = lock_local(session, ExchangeRow, origin)
    left_alone = is_unchanged(origin, exchange) and not overwrite
    if row is None and left_alone:
        raise Forbidden("was deleted here, and not there")
    wanted = asdict(exchange)
    del wanted["key"]
    same = row is not None and row.model_dump(include=set(wanted)) == wanted
    if row is not None and (left_alone or (same and is_unchanged(origin, exchange))):
        return local_id_of(row), "same" if same else "changed here"
    clash = or_(
        col(ExchangeRow.name) == exchange.name, col(ExchangeRow.bank_id) == exchange.bank_id
    )
    for other in session.exec(select(ExchangeRow).where(clash)):
        if row is None or other.id != row.id:
            raise Forbidden(f"the exchange {other.name} here has its name or feeds its bank")
    asked = None if row is None else (row.api, row.config)
    row = row or ExchangeRow(**wanted)
    row.sqlmodel_update(wanted)
    session.add(row)
    session.flush()
    if asked != (row.api, row.config):  # how far another list was fetched says nothing of this one
        gone = delete(ExchangeStateRow).where(col(ExchangeStateRow.exchange_id) == row.id)
        session.connection().execute(gone)
        session.add(ExchangeStateRow(exchange_id=local_id_of(row)))
    write_origin(session, "exchange", exchange, local_id_of(row))
    return local_id_of(row), "written"


def _delete(session: Session, key: str) -> None:
    """Delete an exchange that is gone there, with its records; its bank stays."""
    row = lock_local(session, ExchangeRow, read_origin(session, "exchange", key))
    if row is not None:
        session.connection().execute(delete(ExchangeRow).where(col(ExchangeRow.id) == row.id))
    delete_origin(session, "exchange", key)
