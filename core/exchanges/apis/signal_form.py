"""Signals as exchanges write them, brought into the form in which they match."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from threatexchange.signal_type.signal_base import SignalType


def normalise_form(signal_type: type[SignalType], signal: str) -> str:
    """`signal` as its type stores it.

    Some members write hexadecimal digits in capitals, which the PDQ type takes for no hash.

    Raises:
        ValueError: it is no signal of this type; the message says so.
    """
    signal = signal.strip()
    if re.fullmatch("[0-9A-Fa-f]+", signal) and _is_valid(signal_type, signal.lower()):
        signal = signal.lower()
    try:
        return str(signal_type.validate_signal_str(signal))
    except Exception as error:
        raise ValueError(f"invalid {signal_type.get_name()} signal: {error}") from error


def by_type(
    signal_types: Iterable[type[SignalType]], fetched: Mapping[tuple[str, str], Any]
) -> dict[type[SignalType], dict[str, Any]]:
    """Records under the key (name of a type, signal), by type and sound signal.

    What threatexchange does here for exchanges with such keys drops malformed signals silently.

    Raises:
        ValueError: a signal is malformed.
    """
    named = {one.get_name(): one for one in signal_types}
    signals: dict[type[SignalType], dict[str, Any]] = {}
    for (name, signal), record in fetched.items():
        if record is not None and name in named:
            signals.setdefault(named[name], {})[normalise_form(named[name], signal)] = record
    return signals


def _is_valid(signal_type: type[SignalType], signal: str) -> bool:
    try:
        signal_type.validate_signal_str(signal)
    except Exception:
        return False
    return True
