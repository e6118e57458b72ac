"""Looking a signal up: from what a client sent to the content that it is a copy of.

Reads nothing but the index: bank names, ratios, metadata and notes all come from its snapshot.
"""

import random
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput, IndexNotReady
from core.index.entry import ENABLED
from core.index.reading.answer import Found
from core.services import Services
from core.settings.variant import Variant


@dataclass(frozen=True)
class Match:
    """A content that a lookup found.

    Attributes:
        content_id: the `bank_content_id` of answers.
        bank: the name of its bank.
        distance: as text, `"-"` for signal types without one.
        variant: which variant of the query it is so near to; None for the query as it is.
        metadata, note, labels: as curated.
    """

    content_id: int
    bank: str
    distance: str
    metadata: dict[str, Any] | None
    note: str | None
    labels: tuple[str, ...]
    variant: str | None = None


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


@dataclass(frozen=True)
class Wanted:
    """What a request asks of the contents near its signals.

    Attributes:
        banks: names of those to answer from; all if empty.
        threshold: the largest distance that matches, if not that of the signal type.
        min_snapshot: number of the oldest snapshot to answer from.
    """

    banks: Collection[str] = ()
    threshold: int | None = None
    min_snapshot: int | None = None


Rule = Callable[[Sequence[Found]], Iterable[Found]]
"""Which of the contents near one signal are its matches."""


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
    wanted: Wanted,
    *,
    coin: float,
    variants: Sequence[Variant] = (),
) -> Lookup:
    """Enabled content near `signal` or one of its variants, in those banks that the coin keeps.

    What several of them are near to is named once, with the smallest of its distances. Of a
    signal that is `""`, because there is too little in the content for one, only variants count.

    A match in an allow-list takes away those of all other banks, whichever banks are wanted. It
    is itself answered only if its bank is asked for by name: clients act on every bank they see.

    Raises:
        BadInput: no such type, the signal is not one of it, or it has no such threshold.
        Unavailable: the index cannot be trusted to know right now.
    """
    rule = _rule(signal_type, wanted, coin)
    asked = [] if variants and not signal else [_checked(services, signal_type, signal)]
    if not variants:
        return _search(services, signal_type, asked, wanted, rule)[0]
    names = [None] * len(asked) + [variant.name for variant in variants]
    asked += [variant.hash for variant in variants]
    number, found = _found(services, signal_type, asked, wanted)
    near = [(one, name) for name, ones in zip(names, found, strict=True) for one in ones]
    near.sort(key=lambda pair: int(pair[0].distance))  # only codes have variants
    nearest: dict[int, tuple[Found, str | None]] = {}
    for one, name in near:
        nearest.setdefault(one.content_id, (one, name))
    matches = rule([one for one, _ in nearest.values()])
    return Lookup(number, tuple(_match(one, nearest[one.content_id][1]) for one in matches))


def lookup_many(
    services: Services, signal_type: str, signals: Sequence[str], wanted: Wanted, *, coin: float
) -> list[Lookup | BadInput]:
    """As `lookup`, for many signals of one type: all from one snapshot, under one coin.

    A signal that is none of its type takes nothing from the others.

    Returns:
        In the order of `signals`, what each matches or what is wrong with it.
    """
    checked: list[str | BadInput] = []
    for signal in signals:
        try:
            checked.append(_checked(services, signal_type, signal))
        except BadInput as error:
            checked.append(error)
    valid = [one for one in checked if isinstance(one, str)]
    found = iter(_search(services, signal_type, valid, wanted, _rule(signal_type, wanted, coin)))
    return [one if isinstance(one, BadInput) else next(found) for one in checked]


def raw_lookup(services: Services, signal_type: str, signal: str, wanted: Wanted) -> Lookup:
    """As `lookup`, but whether content is disabled, and what its bank says, makes no difference."""

    def rule(found: Sequence[Found]) -> Iterable[Found]:
        return (one for one in found if _asked_for(one, wanted))

    return _search(services, signal_type, [_checked(services, signal_type, signal)], wanted, rule)[
        0
    ]


def _rule(signal_type: str, wanted: Wanted, coin: float) -> Rule:
    now = time.time()

    def rule(found: Sequence[Found]) -> Iterable[Found]:
        matching = [
            one
            for one in found
            if one.bank.enabled_ratio >= coin
            and _enabled(one.disable_until_ts, now)
            and _near_enough(one, signal_type)
        ]
        allowed = [one for one in matching if one.bank.allow_list]
        if allowed:
            return (one for one in allowed if one.bank.name in wanted.banks)
        return (one for one in matching if _asked_for(one, wanted))

    return rule


def _checked(services: Services, signal_type: str, signal: str) -> str:
    services.signal_types.get(signal_type)
    try:
        return services.signal_types.validate(signal_type, signal)
    except BadInput as error:
        raise BadInput(f"invalid signal: {error.message}") from error


def _search(
    services: Services, signal_type: str, signals: Sequence[str], wanted: Wanted, rule: Rule
) -> list[Lookup]:
    number, found = _found(services, signal_type, signals, wanted)
    return [Lookup(number, tuple(map(_match, rule(near)))) for near in found]


def _found(
    services: Services, signal_type: str, signals: Sequence[str], wanted: Wanted
) -> tuple[int, list[list[Found]]]:
    """The number of the snapshot, and what is near each signal."""
    services.signal_types.get(signal_type)
    if wanted.threshold is not None:
        services.signal_types.check_threshold(signal_type, wanted.threshold)
    answer = services.lookup_index.search(
        signal_type, signals, wanted.threshold, wanted.min_snapshot
    )
    if answer.state.enabled_ratio == 0:
        raise BadInput(f"SignalType '{signal_type}' is not enabled")
    return answer.state.number, answer.found


def _match(one: Found, variant: str | None = None) -> Match:
    return Match(
        one.content_id, one.bank.name, one.distance, one.metadata, one.note, one.labels, variant
    )


def _asked_for(found: Found, wanted: Wanted) -> bool:
    return not wanted.banks or found.bank.name in wanted.banks


def _near_enough(found: Found, signal_type: str) -> bool:
    """Whether its bank takes so distant a match for one."""
    threshold = found.bank.thresholds.get(signal_type)
    return threshold is None or int(found.distance) <= threshold


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
        state = services.lookup_index.state(signal_type)
        size = services.lookup_index.size(signal_type)
    except IndexNotReady:
        return {"built_to": -1, "present": False, "size": 0}
    return {"built_to": int(state.created_at), "present": True, "size": size}
