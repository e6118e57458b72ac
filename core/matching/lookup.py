"""Looking signals up: from what a client sent to the content that it is a copy of.

Every lookup is this one, whoever asks: how they differ stands in the query. Reads nothing but the
index: bank names, ratios, metadata and notes all come from its snapshot.
"""

import random
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.errors import BadInput
from core.hashing.variants.orientation import orient_hash
from core.index.entry import ENABLED
from core.index.reading.lookup_index import ContentMatch, IndexState, LookupIndex
from core.settings.variant import Variant
from core.signal_types.enabled import SignalTypes

MOST_MATCHES = 1000
"""Of one signal in one answer, the nearest first; and the nearest of each bank beside them."""


@dataclass(frozen=True)
class LookupRules:
    """Which of the contents near a signal are its matches.

    A match in an allow-list takes away those of all other banks, whichever banks are asked for. It
    is itself answered only if its bank is asked for by name: clients act on every bank they see.

    Attributes:
        banks: names of those to answer from; all if empty.
        threshold: the largest distance that matches, if not that of the signal type.
        min_snapshot: number of the oldest snapshot to answer from.
        coin: a bank takes part iff its ratio is at least this. None for a raw lookup: whether
            content is disabled, and what its bank says, makes no difference.
        skip: how many of the nearest matches are left out, because an answer before had them.
    """

    banks: Collection[str] = ()
    threshold: int | None = None
    min_snapshot: int | None = None
    coin: float | None = None
    skip: int = 0


@dataclass(frozen=True)
class LookupQuery:
    """What is looked up, and by which rules.

    Attributes:
        signal_type: that of all the signals.
        signals: each looked up by itself, all in one snapshot and under one coin.
        variants: what else the picture of the one signal may have been. What several of them are
            near to matches once, with the smallest of its distances. The signal may then be `""`,
            because there is too little in the picture for one.
        orientations: whether the one signal, a PDQ hash, also stands for that of the picture turned
            and mirrored, as far as its bits allow.
        partial: whether a signal that is none of its type takes nothing from the others.
    """

    signal_type: str
    signals: Sequence[str]
    rules: LookupRules
    variants: Sequence[Variant] = ()
    orientations: bool = False
    partial: bool = False


@dataclass(frozen=True)
class Lookup:
    """What a query is answered.

    Attributes:
        state: the snapshot that all of it comes from.
        matches: by place in the query's signals the matches of each, nearest first.
        errors: by that place what is wrong with a signal, where the query is partial.
        left: how many matches the next answer would begin with, of all signals.
    """

    state: IndexState
    matches: Sequence[Sequence[ContentMatch]]
    errors: Mapping[int, BadInput] = field(default_factory=dict)
    left: int = 0


def toss_coin(seed: str | None = None, *, bypass: bool = False) -> float:
    """The coin of one request and signal type: a bank takes part iff its ratio is at least it.

    With a seed it is reproducible across implementations: CPython's `random.Random(seed)`.
    """
    if bypass:
        return 0.0
    return random.Random(seed).random() if seed is not None else random.SystemRandom().random()


def look_up(
    index: LookupIndex, types: SignalTypes, query: LookupQuery, most_hits: int | None = None
) -> Lookup:
    """The matches of each signal of `query`.

    Args:
        most_hits: `LongSearch` if more than so many rows of the index are near.

    Raises:
        BadInput: no such type, a signal is not one of it, or it has no such threshold.
        Unavailable: the index cannot be trusted to know right now.
    """
    name, rules = query.signal_type, query.rules
    types.get(name)
    signals: list[str] = []
    errors: dict[int, BadInput] = {}
    for at, signal in enumerate(query.signals):
        if query.variants and not signal:
            continue
        try:
            signals.append(types.validate(name, signal))
        except BadInput as error:
            errors[at] = BadInput(f"invalid signal: {error.message}")
            if not query.partial:
                raise errors[at] from error
    variants = orient_hash(signals[0]) if query.orientations else query.variants
    if rules.threshold is not None:
        types.check_threshold(name, rules.threshold)
    result = index.search(
        name,
        [*signals, *(variant.hash for variant in variants)],
        rules.threshold,
        rules.min_snapshot,
        most_hits,
    )
    if result.state.enabled_ratio == 0:
        raise BadInput(f"SignalType '{name}' is not enabled")
    near = result.matches
    if variants:
        names = [None] * len(signals) + [variant.name for variant in variants]
        near = [_nearest(zip(names, near, strict=True))]
    now = time.time()
    pages = [_page(_select_matches(contents, rules, name, now), rules.skip) for contents in near]
    matches = iter([page for page, _ in pages])
    return Lookup(
        result.state,
        [[] if at in errors else next(matches) for at in range(len(query.signals))],
        errors,
        sum(left for _, left in pages),
    )


def _page(matches: Sequence[ContentMatch], skip: int) -> tuple[list[ContentMatch], int]:
    """What one answer holds of `matches`, and how many come after.

    No bank is missing from the first: clients act on each bank they see, and do not ask for more.
    """
    page, rest = list(matches[skip : skip + MOST_MATCHES]), matches[skip + MOST_MATCHES :]
    banks = {match.bank.name for match in matches[: skip + MOST_MATCHES]}
    for match in rest:
        if match.bank.name not in banks:
            banks.add(match.bank.name)
            page.append(match)
    return page, len(rest)


def _nearest(by_variant: Iterable[tuple[str | None, Sequence[ContentMatch]]]) -> list[ContentMatch]:
    """What any variant is near to: each content once, with its smallest distance."""
    pairs = [(match, name) for name, matches in by_variant for match in matches]
    pairs.sort(key=lambda pair: pair[0].order)
    nearest: dict[int, ContentMatch] = {}
    for match, name in pairs:
        if match.content_id not in nearest:
            nearest[match.content_id] = match if name is None else replace(match, variant=name)
    return list(nearest.values())


def _select_matches(
    near: Sequence[ContentMatch], rules: LookupRules, signal_type: str, now: float
) -> list[ContentMatch]:
    if rules.coin is None:
        return [match for match in near if _is_asked_for(match, rules)]
    matching = list(_taking_part(near, rules.coin, signal_type, now))
    allowed = [match for match in matching if match.bank.allow_list]
    if allowed:
        return [match for match in allowed if match.bank.name in rules.banks]
    return [match for match in matching if _is_asked_for(match, rules)]


def _taking_part(
    near: Sequence[ContentMatch], coin: float, signal_type: str, now: float
) -> Iterator[ContentMatch]:
    """Enabled content of those banks that the coin keeps and that take so distant a match."""
    for match in near:
        if match.bank.enabled_ratio < coin or not _is_enabled(match.disable_until_ts, now):
            continue
        threshold = match.bank.thresholds.get(signal_type, match.threshold)
        if threshold >= match.threshold:
            yield match
        elif int(match.distance) <= threshold:
            yield replace(match, threshold=threshold)


def _is_asked_for(match: ContentMatch, rules: LookupRules) -> bool:
    return not rules.banks or match.bank.name in rules.banks


def _is_enabled(disable_until_ts: int, now: float) -> bool:
    return disable_until_ts == ENABLED or 0 < disable_until_ts <= now
