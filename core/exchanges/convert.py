"""From what an exchange says to what the catalog stores, one record at a time.

One bad record must not spoil its neighbours, so each is converted alone, as HMA does, and what
goes wrong with it is its reason for being set aside.
"""

import hashlib
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI

from core.catalog.exchange.fetched_record import FetchedRecord, Signals
from core.errors import BadInput
from core.exchanges.dataclass_json import as_json, from_json
from core.exchanges.poison import LONGEST_RAW, Poisoned
from core.exchanges.registry import Api
from core.signal_types.enabled import SignalTypes

LONGEST_KEY = 1000
"""Characters. A key is indexed, and some APIs use a whole text for one."""


def key_text(key: Any) -> str:
    """A record's key as text: `str(key)`, as HMA stores it, unless that cannot be stored."""
    text = str(key)
    if "\0" in text or not _encodable(text):
        text = ascii(key)
    if len(text) > LONGEST_KEY:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{text[: LONGEST_KEY - 65]}…{digest}"
    return text


def typed_key(stored: Any) -> Any:
    """The key that `convert` stored with a record, as the API gave it."""
    return tuple(stored) if isinstance(stored, list) else stored


def typed_record(api: Api, stored: Any) -> Any:
    """The record that `convert` stored, as the API's own class; as JSON if that does not fit."""
    try:
        return from_json(stored, _record_class(api))
    except Exception:  # the class is anybody's, and so is what it raises
        return stored


def _record_class(api: Api) -> type[Any]:
    """What `fetch_iter` of this API yields, as its class declares."""
    for base in (base for cls in api.__mro__ for base in getattr(cls, "__orig_bases__", ())):
        if get_origin(base) is SignalExchangeAPI and is_dataclass(value := get_args(base)[-1]):
            return value  # type: ignore[return-value]
    return api.get_record_cls()  # type: ignore[no-any-return]


class Converter:
    """Converts the records of one exchange.

    Args:
        config: as the API's class takes it.
    """

    def __init__(self, api: Api, config: Any, signal_types: SignalTypes) -> None:
        self._api = api
        self._config = config
        self._signal_types = signal_types
        self._classes = list(signal_types.signal_types.values())

    def convert(self, key: Any, record: Any) -> FetchedRecord:
        """A record, or what stands for one, as the catalog stores it. Never raises."""
        text = key_text(key)
        if record is None:
            return FetchedRecord(text, gone=True)
        reasons: list[str] = []
        raw = None
        if isinstance(record, Poisoned):
            reasons.append(record.reason)
            raw, record = record.raw, record.record
        signals: Signals = ()
        value = None
        if record is not None:
            try:
                value = as_json(record)
                signals = self._signals(key, record, reasons)
            except Exception as error:
                reasons.append(f"{type(error).__name__}: {error}")
        stored = {"key": as_json(key), "value": value}
        if raw is not None:
            stored["raw"] = raw
        return FetchedRecord(text, stored, signals, _reason(reasons))

    def _signals(self, key: Any, record: Any, reasons: list[str]) -> Signals:
        by_class = self._api.naive_convert_to_signal_type(
            self._classes, self._config, {key: record}
        )
        signals = set()
        for kind, values in by_class.items():
            name = kind.get_name()
            for value in values:
                try:
                    signals.add((name, self._signal_types.validate(name, value)))
                except BadInput as error:
                    reasons.append(f"Invalid {name} signal: {error.message}")
        if not signals and not reasons:
            self._explain(key, reasons)
        return tuple(sorted(signals))

    def _explain(self, key: Any, reasons: list[str]) -> None:
        """Of a key that is a signal itself threatexchange drops the malformed without a word."""
        match key:
            case (str(name), str(value)) if name in self._signal_types.enabled():
                try:
                    self._signal_types.validate(name, value)
                except BadInput as error:
                    reasons.append(f"Invalid {name} signal: {error.message}")


def _reason(reasons: list[str]) -> str | None:
    if not reasons:
        return None
    text = "; ".join(reasons)[:LONGEST_RAW]
    return text.encode(errors="replace").decode().replace("\0", "�")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
