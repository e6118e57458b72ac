"""What the routes that look signals up have in common: how they are asked, and how they answer.

A lookup is answered on the event loop, which is fastest; only when the index has to look at the
store or at its shards first does it wait in a thread.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field

from core.errors import BadInput
from core.matching import lookup as matching
from core.services import Services
from core.settings.variant import chosen
from functions.web.answer import Json, at
from functions.web.dependencies import Limits, in_thread
from functions.web.seen import Seen

T = TypeVar("T")


class Scope(BaseModel):
    """The parameters of every lookup."""

    threshold: int | None = Field(
        None, ge=0, description="Largest distance in bits that matches; the type's own if absent."
    )
    include_metadata: bool = Field(
        False, description="Put metadata, note and labels into the match objects that have some."
    )
    min_snapshot: str | None = Field(
        None,
        description="The oldest snapshot to answer from: a number, or an X-HMA-Snapshot header.",
    )

    def wanted(self, signal_type: str, banks: Iterable[str] = ()) -> matching.Wanted:
        """What is asked of content near a signal of this type."""
        return matching.Wanted(tuple(banks), self.threshold, self._floor(signal_type))

    def _floor(self, signal_type: str) -> int | None:
        """The oldest snapshot of `signal_type` that is allowed: `12` or `pdq=12, …`."""
        for part in self.min_snapshot.split(",") if self.min_snapshot else ():
            name, _, number = part.strip().rpartition("=")
            if not re.fullmatch("[0-9]{1,18}", number):
                raise BadInput(
                    "min_snapshot must be a snapshot's number or an X-HMA-Snapshot header"
                )
            if name in ("", signal_type):
                return int(number)
        return None


Types = Annotated[
    str | None, Field(description="Comma-separated signal types to hash it to; all if absent.")
]


class SearchQuery(Scope):
    """The query of a lookup: some banks."""

    banks: str | None = Field(
        None, description="Comma-separated names of banks to search; all if empty."
    )

    def named(self) -> tuple[str, ...]:
        return tuple(self.banks.split(",")) if self.banks else ()


class TossedQuery(SearchQuery):
    """The query of a lookup in which banks take part by their ratios."""

    seed: str | None = Field(None, description="Makes the coin toss reproducible.")


class VariedQuery(TossedQuery):
    """The query of a lookup that may take content for an altered copy."""

    variants: str | None = Field(
        None,
        description="Comma-separated: what a picture is also looked up as. `orientation`, "
        "`margin`, `rotation`, `edge`, `contrast`, `frame` (each of an animation, each page of a "
        "document), or `all`; of a PDQ hash, which is all there is of a picture then, only "
        "`orientation`. As configured if absent, none if empty.",
    )

    def kinds(self, services: Services) -> tuple[str, ...]:
        """Which kinds of variants are asked for."""
        if self.variants is None:
            return services.settings.variants
        return chosen([name for name in self.variants.split(",") if name])


async def look_up(
    services: Services,
    limits: Limits,
    seen: Seen,
    query: TossedQuery,
    *,
    bypass: bool,
) -> dict[str, matching.Lookup]:
    """One lookup, with a coin of its own, for each signal type; the variants are of PDQ."""
    found = {}
    for name, signal in seen.hashes.items():
        wanted = query.wanted(name, query.named())
        coin = matching.toss(query.seed, bypass=bypass)
        also = seen.variants if name == "pdq" else ()
        call = functools.partial(
            matching.lookup, services, name, signal, wanted, coin=coin, variants=also
        )
        found[name] = await searched(services, limits, name, wanted, call)
    return found


async def searched(
    services: Services,
    limits: Limits,
    signal_type: str,
    wanted: matching.Wanted,
    search: Callable[[], T],
) -> T:
    """`search` on the event loop, unless it will look at the store first or may take long."""
    known = signal_type in services.signal_types.enabled()
    if known and (
        wanted.min_snapshot is not None
        or services.lookup_index.due(signal_type)
        or not services.signal_types.is_quick(signal_type)
    ):
        return await in_thread(limits.index, search)
    return search()


def by_type(
    found: Mapping[str, matching.Lookup], *, extras: bool
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Match objects by signal type and bank."""
    return {name: by_bank(one, extras=extras) for name, one in found.items()}


def by_bank(found: matching.Lookup, *, extras: bool) -> dict[str, list[dict[str, Any]]]:
    """Match objects by bank."""
    return {
        bank: [match_object(match, extras=extras) for match in matches]
        for bank, matches in found.by_bank().items()
    }


def match_object(match: matching.Match, *, extras: bool) -> dict[str, Any]:
    """What is known of a match goes inside its object: clients read the keys above as banks."""
    answer: dict[str, Any] = {"bank_content_id": match.content_id, "distance": match.distance}
    if match.variant is not None:
        answer["variant"] = match.variant
    if extras:
        facts = {"metadata": match.metadata, "note": match.note, "labels": list(match.labels)}
        answer |= {name: fact for name, fact in facts.items() if fact}
    return answer


def answered(content: Any, found: Mapping[str, matching.Lookup]) -> Json:
    """An answer that names the snapshot of each signal type in it."""
    return Json(content, headers=at({name: one.snapshot for name, one in found.items()}))
