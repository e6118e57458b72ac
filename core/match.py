"""Looking a signal up: from what a client sent to the content that it is a copy of.

Reads nothing but the index: bank names, ratios, metadata and notes all come from its snapshot.
"""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput, IndexNotReady
from core.index.entry import ENABLED
from core.index.read import Found
from core.services import Services


@dataclass(frozen=True)
class Match:
    """A content that a lookup found.

    Attributes:
        content_id: the `bank_content_id` of answers.
        bank: the name of its bank.
        distance: as text, `"-"` for signal types without one.
    """

    content_id: int
    bank: str
    distance: str
    metadata: dict[str, Any] | None
    note: str | None


@dataclass(frozen=True)
class Lookup:
    """Every match of one signal, nearest first, and the number of the snapshot it comes from."""

    snapshot: int
    matches: tuple[Match, ...]

    def by_bank(self) -> dict[str, list[Match]]:
        grouped: dict[str, list[Match]] = {}
        for match in self.matches:
            grouped.setdefault(match.bank, []).append(match)
        return grouped


def toss(seed: str | None = None, *, bypass: bool = False) -> float:
    """The coin of one request and signal type: a bank takes part iff its ratio is at least it.

    With a seed it is reproducible across implementations: CPython's `random.Random(seed)`.
    """
    if bypass:
        return 0.0
    return random.Random(seed).random() if seed is not None else random.SystemRandom().random()


def lookup(
    services: Services,
    signal_type: str,
    signal: str,
    *,
    banks: Collection[str] = (),
    coin: float,
    min_snapshot: int | None = None,
) -> Lookup:
    """Enabled content near `signal`, in those of `banks` (all if empty) that the coin keeps.

    Raises:
        BadInput: no such type, or the signal is not one of it.
        Unavailable: the index cannot be trusted to know right now.
    """
    now = time.time()

    def matches(found: Found) -> bool:
        return found.bank.enabled_ratio >= coin and _enabled(found.disable_until_ts, now)

    return _search(services, signal_type, signal, banks, min_snapshot, matches)


def raw_lookup(
    services: Services,
    signal_type: str,
    signal: str,
    *,
    banks: Collection[str] = (),
    min_snapshot: int | None = None,
) -> Lookup:
    """As `lookup`, but disabled content and banks' ratios make no difference."""
    return _search(services, signal_type, signal, banks, min_snapshot, lambda _: True)


def _search(
    services: Services,
    signal_type: str,
    signal: str,
    banks: Collection[str],
    min_snapshot: int | None,
    matches: Callable[[Found], bool],
) -> Lookup:
    services.signal_types.get(signal_type)
    try:
        normalised = services.signal_types.validate(signal_type, signal)
    except BadInput as error:
        raise BadInput(f"invalid signal: {error.message}") from error
    index = services.index.get(signal_type, min_snapshot)
    (found,) = index.search([normalised])
    return Lookup(
        index.snapshot.number,
        tuple(
            Match(one.content_id, one.bank.name, one.distance, one.metadata, one.note)
            for one in found
            if (not banks or one.bank.name in banks) and matches(one)
        ),
    )


def _enabled(disable_until_ts: int, now: float) -> bool:
    return disable_until_ts == ENABLED or 0 < disable_until_ts <= now


def compare(services: Services, pairs: Any) -> dict[str, list[Any]]:
    """For each signal type of `{"pdq": [a, b], …}`: `[do they match, how far apart]`.

    Raises:
        BadInput: saying which part of `pairs` is not of this form.
    """
    if not isinstance(pairs, dict):
        raise BadInput("Request input was not a dict")
    return {name: _compared(services, name, signals) for name, signals in pairs.items()}


def _compared(services: Services, signal_type: str, signals: Any) -> list[Any]:
    if not isinstance(signals, list):
        raise BadInput(f"Comparison hashes for {signal_type} was not a list")
    if len(signals) != 2:
        raise BadInput("Comparison hash list length must be exactly 2")
    services.signal_types.get(signal_type)
    try:
        if not all(isinstance(signal, str) for signal in signals):
            raise BadInput("not a string")
        first, second = (services.signal_types.validate(signal_type, s) for s in signals)
    except BadInput as error:
        raise BadInput(f"Invalid {signal_type} hash: {error.message}") from error
    result = services.signal_types.compare(signal_type, first, second)
    distance = {name: n for name, n in vars(result.distance).items() if not name.startswith("_")}
    return [result.match, distance]


def index_status(services: Services, signal_type: str | None = None) -> dict[str, dict[str, Any]]:
    """For each enabled type, or one: whether an index is there, when it was made, how large it is.

    Raises:
        BadInput: no such type is enabled.
        Unavailable: the store does not say.
    """
    enabled = services.signal_types.enabled()
    if signal_type is not None and signal_type not in enabled:
        raise BadInput(f"No such signal type '{signal_type}'")
    return {name: _status(services, name) for name in ([signal_type] if signal_type else enabled)}


def _status(services: Services, signal_type: str) -> dict[str, Any]:
    try:
        index = services.index.get(signal_type)
    except IndexNotReady:
        return {"built_to": -1, "present": False, "size": 0}
    return {
        "built_to": int(index.snapshot.created_at),
        "present": True,
        "size": index.size(),
    }
