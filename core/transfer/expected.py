"""What each row of HMA's database should be here, or why it cannot be that.

HMA checks less than we do, and others have written to its tables: a row that breaks a rule keeps
what does not, above all its id and its signals, and what had to change is reported.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from core.catalog.content.metadata import checked_metadata
from core.catalog.models import NAME_LENGTH, NOTE_LENGTH
from core.catalog.text import storable
from core.catalog.transfer.content_state import ContentState
from core.catalog.transfer.transferred_bank import TransferredBank
from core.catalog.transfer.transferred_exchange import TransferredExchange
from core.catalog.transfer.transferred_ratio import TransferredRatio
from core.errors import BadInput
from core.exchanges.convert import key_text
from core.exchanges.registry import EVERYWHERE, ExchangeApis
from core.signal_types.enabled import SignalTypes
from core.transfer.hma_database import HmaBank, HmaContent, HmaExchange, HmaOrphan
from core.transfer.problem import Problem, Report

LARGEST = 2**63 - 1


def expected_bank(bank: HmaBank, report: Report) -> TransferredBank | None:
    """The bank, or None if it cannot be one here, nor any of its content."""
    what = f"bank {bank.name!r}"
    if not _is_name(bank.name):
        report(
            Problem(
                what,
                "Bank names must be UPPER_WITH_UNDERSCORE: left out with all its content. "
                "Rename it in HMA and run this again",
            )
        )
        return None
    return TransferredBank(str(bank.id), bank.name, _ratio(what, bank.enabled_ratio, report))


def expected_override(name: Any, ratio: Any, report: Report) -> TransferredRatio | None:
    """The ratio of a signal type, or None if its name cannot be one."""
    if not isinstance(name, str) or not storable(name) or not 0 < len(name) <= NAME_LENGTH:
        report(Problem(f"signal type {name!r}", "that is no name: left out"))
        return None
    return TransferredRatio(name, _ratio(f"signal type {name}", ratio, report))


def expected_exchange(
    exchange: HmaExchange, banks: list[int], apis: ExchangeApis, report: Report
) -> TransferredExchange | None:
    """The exchange, or None if it cannot be one here. `banks` are those that it feeds, here."""
    what = f"exchange {exchange.name!r}"
    if not _is_name(exchange.name):
        report(Problem(what, "its name must match /^[A-Z0-9_]+$/: left out"))
        return None
    if not isinstance(exchange.api, str) or not storable(exchange.api):
        report(Problem(what, "it has no API: left out"))
        return None
    if not banks:
        report(Problem(what, "it feeds no bank that is moved: left out"))
        return None
    if len(banks) > 1:
        report(Problem(what, "it feeds several banks, and here only the first of them"))
    config = _object(what, "typed_config", exchange.config, report) or {}
    config = {key: value for key, value in config.items() if key not in EVERYWHERE}
    try:
        config = apis.complete_config(exchange.api, exchange.name, config)
    except BadInput as error:
        report(Problem(what, f"{error.message}: kept, but it can't be fetched like this"))
    return TransferredExchange(
        str(exchange.id), exchange.name, exchange.api, config, bool(exchange.enabled), banks[0]
    )


def expected_credentials(api: str, text: str, report: Report) -> dict[str, Any] | None:
    """The credentials for an API; None if there are none, or none that can be understood."""
    return _object(f"credentials of {api}", "default_credentials_json", text, report) or None


class ExpectedContent:
    """Content as it should be here.

    Args:
        banks: ids here by ids there, of the banks that are moved.
        exchanges: likewise; content of others comes without its record.
        refused: ids there of banks that could not be moved, which has been said already.
    """

    def __init__(
        self,
        signal_types: SignalTypes,
        banks: Mapping[int, int],
        exchanges: Mapping[int, int],
        refused: set[int],
    ) -> None:
        self._types = signal_types
        self._banks = banks
        self._exchanges = exchanges
        self._refused = refused

    def state(self, row: HmaContent | HmaOrphan, report: Report) -> ContentState | None:
        """What `row` should be, or None if it can't be here at all."""
        if isinstance(row, HmaOrphan):
            what = f"{row.signal_type} signal of content {row.content_id}"
            report(Problem(what, "there is no such content: left out"))
            return None
        what = f"content {row.id}"
        if row.bank_id in self._refused:
            return None
        if row.bank_id not in self._banks:
            report(Problem(what, f"there is no bank {row.bank_id} that it could be in: left out"))
            return None
        if not 0 < row.id <= LARGEST:
            report(Problem(what, "ids are positive: left out"))
            return None
        return ContentState(
            row.id,
            self._banks[row.bank_id],
            self._signals(what, row, report),
            _until(what, row.disable_until_ts, report),
            _text(what, "original_content_uri", row.uri, None, report),
            _metadata(what, row.metadata, report),
            _text(what, "note", row.note, NOTE_LENGTH, report) or None,
            self._record(what, row, report),
        )

    def _signals(self, what: str, row: HmaContent, report: Report) -> tuple[tuple[str, str], ...]:
        kept = []
        for name, value in row.signals:
            try:
                if not isinstance(name, str) or not isinstance(value, str):
                    raise BadInput("not a string")
                if name in self._types.enabled():
                    kept.append((name, self._types.validate(name, value)))
                elif storable(name) and storable(value) and 0 < len(name) <= NAME_LENGTH:
                    kept.append((name, value))
                else:
                    raise BadInput("not a signal")
            except BadInput as error:
                why = f"Invalid {name} signal: {error.message}"
                report(Problem(what, f"{why}: kept without it"))
        return tuple(sorted(dict.fromkeys(kept)))

    def _record(self, what: str, row: HmaContent, report: Report) -> tuple[int, str] | None:
        if row.imported_from_id is None:
            return None
        if row.exchange_id is None or row.fetch_id is None:
            why = f"it was imported from record {row.imported_from_id}, which is not there"
            report(Problem(what, f"{why}: kept as if it had been banked by hand"))
            return None
        if row.exchange_id not in self._exchanges:
            report(Problem(what, "its exchange is not moved: kept as if banked by hand"))
            return None
        return self._exchanges[row.exchange_id], key_text(row.fetch_id)


def _is_name(name: Any) -> bool:
    # An exchange's bank may begin with a digit, here as there.
    return (
        isinstance(name, str)
        and re.fullmatch(r"[A-Z0-9_]+", name) is not None
        and len(name) <= NAME_LENGTH
    )


def _ratio(what: str, ratio: Any, report: Report) -> float:
    """Within 0 to 1, and such that as many lookups use it as in HMA, where any number could be."""
    if not isinstance(ratio, int | float) or math.isnan(ratio):
        report(Problem(what, f"enabled_ratio {ratio} must be between 0 and 1: taken as 0"))
        return 0.0
    within = min(max(float(ratio), 0.0), 1.0)
    if within != ratio:
        report(Problem(what, f"enabled_ratio {ratio} must be between 0 and 1: taken as {within}"))
    return within


def _until(what: str, until: Any, report: Report) -> int:
    if isinstance(until, int) and 0 <= until <= LARGEST:
        return until
    report(Problem(what, f"disable_until_ts {until} is no time: taken as enabled"))
    return 1


def _text(
    what: str, column: str, value: str | None, longest: int | None, report: Report
) -> str | None:
    if value is None or (isinstance(value, str) and storable(value)):
        if value is not None and longest is not None and len(value) > longest:
            report(Problem(what, f"{column} must be at most {longest} characters: cut off there"))
            return value[:longest]
        return value
    report(Problem(what, f"{column} is not UTF-8 without NUL: kept without it"))
    return None


def _metadata(what: str, text: str | None, report: Report) -> dict[str, Any] | None:
    try:
        return checked_metadata(_parse_json(text))
    except BadInput as error:
        report(Problem(what, f"{error.message}: kept without metadata"))
        return None


def _object(what: str, column: str, text: str | None, report: Report) -> dict[str, Any] | None:
    try:
        value = _parse_json(text)
        if value is None or isinstance(value, dict):
            return value
        raise BadInput("it is no JSON object")
    except BadInput as error:
        report(Problem(what, f"{column}: {error.message}: kept without it"))
        return None


def _parse_json(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is no JSON ({getattr(error, 'msg', error)})") from error
