"""Banks as lines of a file."""

from collections.abc import Collection, Iterator

from core.catalog import Catalog
from core.errors import NotFound
from core.transfer.line import BankLine, ContentLine, Line


def export_banks(catalog: Catalog, names: Collection[str]) -> Iterator[Line]:
    """These banks, or all if none is named, and then their content by id, as it is read.

    Raises:
        NotFound: there is no bank of one of the names.
    """
    banks = {bank.name: bank for bank in catalog.banks.every()}
    if missing := [name for name in names if name not in banks]:
        raise NotFound(f"there is no bank {', '.join(missing)}")
    chosen = [bank for name, bank in banks.items() if not names or name in names]
    by_id = {bank.id: bank.name for bank in chosen}
    for bank in chosen:
        thresholds = dict(bank.thresholds) or None
        yield BankLine(bank.name, bank.enabled_ratio, bank.allow_list, thresholds)
    for state in catalog.transfer.contents.states(by_id):
        rest = (state.disable_until_ts, state.uri, state.metadata, state.note)
        yield ContentLine(
            by_id[state.bank_id], state.id, state.signals, *rest, list(state.labels) or None
        )
