"""One run of moving from HMA: what is new, changed or gone there since the last becomes so here.

A run that is killed has done some of it for good, each batch in a transaction of its own, and the
next one does the rest. A run after which nothing has changed there changes nothing here.

Until the switch HMA is where people curate. What was changed *here* meanwhile, and not there, is
left alone and told as a difference, unless a run is told to overwrite it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from core.catalog import Catalog
from core.catalog.transfer.content_state import ContentState
from core.catalog.transfer.transferred_content import AT_ONCE
from core.errors import BadInput
from core.exchanges.credentials import Credentials
from core.exchanges.dataclass_json import from_json
from core.exchanges.registry import ExchangeApis
from core.signal_types.enabled import SignalTypes
from core.transfer.expected import (
    ExpectedContent,
    expected_bank,
    expected_credentials,
    expected_exchange,
    expected_override,
)
from core.transfer.hma_database import HmaContent, HmaDatabase
from core.transfer.problem import Problem, Report
from core.transfer.reconcile import (
    LEFT_OUT,
    CountRow,
    There,
    count_rows,
    find_differences,
    side_by_side,
)

T = TypeVar("T")

FREE_IDS = 1_000_000
"""Ids kept free for what is still banked in HMA, so that what is made here meanwhile, by an
exchange for instance, does not take one that a client will be told by HMA."""

ReportProgress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Outcome:
    """What a run did, and how both sides compare after it.

    Attributes:
        written: how many `banks`, `exchanges`, `credentials`, `overrides`, `contents` were new or
            changed, and how many of each are `gone`.
        table: counts by bank and signal type on both sides.
        problems: how many rows could not be moved as they are; each has been reported.
        differences: how many contents differ, besides; each has been reported.
    """

    written: Mapping[str, int]
    table: list[CountRow]
    problems: int
    differences: int

    @property
    def complete(self) -> bool:
        """Whether all that HMA has is here, and nothing of it otherwise."""
        same = all(row.same for row in self.table)
        return same and not self.problems and not self.differences


class HmaImport:
    """A run.

    Args:
        overwrite: also what was changed here, and not there, is made as it is there.
    """

    def __init__(
        self,
        hma: HmaDatabase,
        catalog: Catalog,
        signal_types: SignalTypes,
        exchange_apis: ExchangeApis,
        credentials: Credentials,
        *,
        report: Report,
        progress: ReportProgress,
        overwrite: bool = False,
    ) -> None:
        self._hma = hma
        self._transfer = catalog.transfer
        self._signal_types = signal_types
        self._exchange_apis = exchange_apis
        self._credentials = credentials
        self._tell = report
        self._progress = progress
        self._overwrite = overwrite
        self._problems = 0
        self._written: dict[str, int] = {}

    def run(self) -> Outcome:
        """Move everything, compare, and say how it went.

        Raises:
            Unavailable: HMA's database or the catalog stopped answering; run it again.
        """
        self._transfer.contents.reserve_ids(self._hma.last_content_id() + FREE_IDS)
        self._overrides()
        content = self._around_content()
        total = sum(n for (_, name), n in self._hma.counts().items() if name is None)
        self._contents(content, total)
        exchange_keys = {str(exchange.id) for exchange in self._hma.exchanges()}
        self._transfer.exchanges.delete_others(exchange_keys, self._refuse)
        bank_keys = {str(bank.id) for bank in self._hma.banks()}
        self._transfer.banks.delete_others(bank_keys, self._refuse)
        unlike = 0
        for difference in find_differences(
            self._steps("comparing", total, self._expected(content, lambda _: None)),
            self._transfer.contents.states(),
        ):
            unlike += 1
            self._tell(difference)
        counts = count_rows(self._hma.counts(), self._transfer.contents.counts())
        return Outcome(self._written, counts, self._problems, unlike)

    def _overrides(self) -> None:
        ratios, enabled = self._hma.overrides(), self._signal_types.enabled()
        overrides = [expected_override(n, r, self._report) for n, r in ratios.items()]
        kept = [override for override in overrides if override is not None]
        self._written["overrides"] = self._transfer.ratios.keep(
            kept, self._refuse, overwrite=self._overwrite
        )
        self._transfer.ratios.delete_others(ratios, self._refuse)
        waiting: dict[str, int] = {}
        for (_, name), count in self._hma.counts().items():
            if name is not None and name not in enabled and ratios.get(name) != 0:
                waiting[name] = waiting.get(name, 0) + count
        for name, count in waiting.items():
            why = f"its {count} signals are kept, but match nothing until HMA_SIGNAL_TYPES names it"
            self._report(Problem(f"signal type {name}", why))

    def _around_content(self) -> ExpectedContent:
        """Banks, exchanges and credentials, and then what content should be among them."""
        banks = self._hma.banks()
        kept = [bank for bank in (expected_bank(b, self._report) for b in banks) if bank]
        here, self._written["banks"] = self._transfer.banks.keep(
            kept, self._refuse, overwrite=self._overwrite
        )
        fed: dict[int, list[int]] = {}
        for b in banks:
            if b.exchange_id is not None and str(b.id) in here:
                fed.setdefault(b.exchange_id, []).append(here[str(b.id)])
        expected = (
            expected_exchange(e, fed.get(e.id, []), self._exchange_apis, self._report)
            for e in self._hma.exchanges()
        )
        exchanges = [exchange for exchange in expected if exchange is not None]
        known, self._written["exchanges"] = self._transfer.exchanges.keep(
            exchanges, self._refuse, overwrite=self._overwrite
        )
        self._keep_credentials()
        return ExpectedContent(
            self._signal_types,
            {int(key): bank_id for key, bank_id in here.items()},
            {int(key): exchange_id for key, exchange_id in known.items()},
            {b.id for b in banks if str(b.id) not in here},
        )

    def _keep_credentials(self) -> None:
        self._written["credentials"] = 0
        for api, text in self._hma.credentials().items():
            expected = expected_credentials(api, text, self._report)
            try:
                if expected is not None and not self._has(api, expected):
                    self._credentials.set(api, expected)
                    self._written["credentials"] += 1
            except BadInput as error:
                self._report(Problem(f"credentials of {api}", f"{error.message}: left out"))

    def _has(self, api: str, expected: Mapping[str, Any]) -> bool:
        """Whether these are the credentials here. Sealed anew they would look different."""
        kept = self._credentials.get(api)
        kind = type(kept)
        try:
            return kept is not None and bool(from_json(expected, kind) == kept)
        except Exception:  # what is not of its kind, `set` will refuse without repeating it
            return False

    def _contents(self, content: ExpectedContent, total: int) -> None:
        """Go through both sides by ascending id: what is new, what has changed, what is gone."""
        self._written |= {"contents": 0, "gone": 0}
        put: list[ContentState] = []
        gone: list[int] = []
        there = self._steps("moving", total, self._expected(content, self._report))
        for content_id, state, digest in side_by_side(there, self._known()):
            if state is None:
                gone.append(content_id)
            elif state is not LEFT_OUT and state.digest != digest:
                put.append(state)
            if len(put) >= AT_ONCE:
                self._put(put)
            if len(gone) >= AT_ONCE:
                self._remove(gone)
        self._put(put)
        self._remove(gone)

    def _expected(self, content: ExpectedContent, report: Report) -> Iterator[tuple[int, There]]:
        """All content of HMA's by ascending id; orphans are only reported."""
        for row in self._hma.contents():
            state = content.state(row, report)
            if isinstance(row, HmaContent):
                yield row.id, state or LEFT_OUT

    def _known(self) -> Iterator[tuple[int, str]]:
        if not self._overwrite:
            return self._transfer.contents.digests()
        present = ((state.id or 0, state.digest) for state in self._transfer.contents.states())
        known = side_by_side(self._transfer.contents.digests(), present)
        return ((content_id, here or "") for content_id, _, here in known)

    def _put(self, states: list[ContentState]) -> None:
        for content_id in sorted(taken := self._transfer.contents.put(states)):
            why = "other content, made here, has this id: left out"
            self._report(Problem(f"content {content_id}", why))
        self._written["contents"] += len(states) - len(taken)
        states.clear()

    def _remove(self, ids: list[int]) -> None:
        self._written["gone"] += self._transfer.contents.delete(ids)
        ids.clear()

    def _steps(self, doing: str, total: int, items: Iterable[T]) -> Iterator[T]:
        for done, item in enumerate(items):
            if done % AT_ONCE == 0:
                self._progress(doing, done, total)
            yield item
        self._progress(doing, total, total)

    def _refuse(self, what: str, why: str) -> None:
        self._report(Problem(what, f"{why}: left as it is here"))

    def _report(self, problem: Problem) -> None:
        self._problems += 1
        self._tell(problem)
