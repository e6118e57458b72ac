"""How lookups are asked for: the parameters that several routes have, and the rules they mean."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from core.errors import BadInput
from core.matching.lookup import LookupRules, toss_coin
from core.settings import Settings
from core.settings.variant import select_variants
from functions.web.body import TruthInput

MOST_SIGNALS = 1000
"""In one request: a few hundred milliseconds of searching."""

Types = Annotated[
    str | None, Field(description="Comma-separated signal types to hash it to; all if absent.")
]


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
    skip: int = Field(
        0,
        ge=0,
        description="Matches to leave out, nearest first: the 1,000 of each answer before, where "
        "its X-HMA-Matches-Left says that there are more.",
    )

    def rules(
        self, signal_type: str, banks: Sequence[str] = (), coin: float | None = None
    ) -> LookupRules:
        """What makes content near a signal of this type a match.

        Raises:
            BadInput: `min_snapshot` names no snapshot.
        """
        oldest = read_min_snapshot(self.min_snapshot, signal_type)
        return LookupRules(banks, self.threshold, oldest, coin, self.skip)


class SearchQuery(Scope):
    """The query of a lookup: some banks."""

    banks: str | None = Field(
        None, description="Comma-separated names of banks to search; all if empty."
    )

    def bank_names(self) -> tuple[str, ...]:
        return tuple(self.banks.split(",")) if self.banks else ()


class TossedQuery(SearchQuery):
    """The query of a lookup in which banks take part by their ratios."""

    seed: str | None = Field(None, description="Makes the coin toss reproducible.")

    def tossed_rules(self, signal_type: str, *, bypass: bool) -> LookupRules:
        """As `rules`, with a coin of its own."""
        return self.rules(signal_type, self.bank_names(), toss_coin(self.seed, bypass=bypass))


class VariedQuery(TossedQuery):
    """The query of a lookup that may take content for an altered copy."""

    variants: str | None = Field(
        None,
        description="Comma-separated: what a picture is also looked up as. `orientation`, "
        "`margin`, `rotation`, `edge`, `contrast`, `frame` (each of an animation, each page of a "
        "document), or `all`; of a PDQ hash, which is all there is of a picture then, only "
        "`orientation`. As configured if absent, none if empty.",
    )

    def kinds(self, settings: Settings) -> tuple[str, ...]:
        """Which kinds of variants are asked for.

        Raises:
            BadInput: there is no such kind.
        """
        if self.variants is None:
            return settings.variants
        return select_variants([name for name in self.variants.split(",") if name])


class RawLookupRequest(SearchQuery):
    signal: str = Field(description="The signal to look up.")
    signal_type: str = Field(description="Its signal type.")
    include_distance: bool = Field(False, description="Answer objects with a distance, not ids.")


class LookupRequest(VariedQuery):
    url: str | None = Field(None, description="Content to fetch, hash and look up; or")
    content_type: str | None = Field(None, description="its content type, if known;")
    types: Types = None
    signal: str | None = Field(None, description="the signal to look up, and")
    signal_type: str | None = Field(None, description="its signal type.")
    bypass_coinflip: bool = Field(False, description="Let every bank take part.")


class UploadLookupRequest(VariedQuery):
    types: Types = None
    bypass_coinflip: str = Field("", description="Let every bank take part, if literally `true`.")


class UrlLookupRequest(VariedQuery):
    url: str = Field(description="Content to fetch, hash and look up.")
    content_type: str | None = Field(None, description="Its content type, if known.")
    types: Types = None
    bypass_coinflip: bool = Field(False, description="Let every bank take part.")


class BatchRequest(Scope):
    signal_type: str = Field(description="The type of all the signals.")
    signals: list[str] = Field(description="The signals to look up.", max_length=MOST_SIGNALS)
    banks: list[str] = Field([], description="Names of banks to search; all if empty.")
    seed: str | None = Field(None, description="Makes the coin toss reproducible.")
    bypass_coinflip: TruthInput = Field(False, description="Let every bank take part.")


def read_min_snapshot(text: str | None, signal_type: str) -> int | None:
    """The oldest snapshot of `signal_type` that is allowed, from `12` or `pdq=12, …`.

    Raises:
        BadInput: it is neither.
    """
    for part in text.split(",") if text else ():
        name, _, number = part.strip().rpartition("=")
        if not re.fullmatch("[0-9]{1,18}", number):
            raise BadInput("min_snapshot must be a snapshot's number or an X-HMA-Snapshot header")
        if name in ("", signal_type):
            return int(number)
    return None
