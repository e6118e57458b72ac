"""Comparing signals with each other. Knows no index."""

from typing import Any

from core.errors import BadInput, TooLarge
from core.signal_types.enabled import SignalTypes
from core.signal_types.index_kind import GENERIC

MOST_CHARACTERS = 20_000
"""Of a signal that only its type's own code compares, which may take time by their square."""


def compare_signals(types: SignalTypes, pairs: Any) -> dict[str, list[Any]]:
    """For each signal type of `{"pdq": [a, b], …}`: `[do they match, how far apart]`.

    Raises:
        BadInput: saying which part of `pairs` is not of this form.
        TooLarge: a signal is longer than is compared.
    """
    if not isinstance(pairs, dict):
        raise BadInput("Request input was not a dict")
    return {name: _compare_pair(types, name, signals) for name, signals in pairs.items()}


def _compare_pair(types: SignalTypes, signal_type: str, signals: Any) -> list[Any]:
    if not isinstance(signals, list):
        raise BadInput(f"Comparison hashes for {signal_type} was not a list")
    if len(signals) != 2:
        raise BadInput("Comparison hash list length must be exactly 2")
    types.get(signal_type)
    try:
        if not all(isinstance(signal, str) for signal in signals):
            raise BadInput("not a string")
        if types.kind(signal_type) is GENERIC and max(map(len, signals)) > MOST_CHARACTERS:
            raise TooLarge(f"{signal_type} is compared to {MOST_CHARACTERS} characters at most")
        first, second = (types.validate(signal_type, signal) for signal in signals)
    except BadInput as error:
        raise BadInput(f"Invalid {signal_type} hash: {error.message}") from error
    result = types.compare(signal_type, first, second)
    distance = {name: n for name, n in vars(result.distance).items() if not name.startswith("_")}
    return [result.match, distance]
