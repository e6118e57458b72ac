"""Fetching an exchange: from where it stopped, for as long as it may, into the catalog.

What a page of the exchange says and the checkpoint behind it are committed together, so a fetch
that dies anywhere goes on from there. A fetch from the start of the list is a *round*: when it
reaches the end, what it has not seen is gone there and leaves here too. A round begins when there
is no checkpoint yet, when the checkpoint is stale, when it cannot say where to go on (some APIs
hand out the whole list each time), and when a signal type has been enabled since.

One fetch at a time has an exchange, under a lease; one that lost it changes nothing any more.
"""

import dataclasses
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI

from core.catalog.exchange.exchange import Exchange
from core.catalog.exchange.progress import Progress
from core.catalog.exchange.record import Applied, Fetched
from core.errors import BadInput, HmaError, NotFound, Superseded
from core.exchanges.client import ApiFailed, Client, connect
from core.exchanges.convert import Converter, key_text
from core.exchanges.dataclass_json import as_json, from_json
from core.exchanges.poison import Poisoned
from core.exchanges.registry import Api
from core.services import Services

LEASE_SECONDS = 180.0
"""How long a fetch that died keeps its exchange. Renewed with each commit."""

PIECE = 5000
"""Records a transaction. A longer delta has its checkpoint in the last of several."""

RETRIES = 3
"""Attempts after a failure, without any progress, before the rest is left to the next fetch."""

LONGEST_BACK_OFF = 3600.0
"""Seconds until the next scheduled fetch of an exchange that keeps failing."""


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did.

    Attributes:
        exchange: its name.
        fetched: records it was sent.
        applied: what that changed.
        up_to_date: whether it reached the end of the list; if not, the next fetch goes on.
        running: another fetch has the exchange, and this one did nothing.
        error: why it stopped early, without any credentials; None if nothing went wrong.
        snapshots: of each signal type, the published one that holds all of this; empty if
            publishing has to be made up for.
    """

    exchange: str
    fetched: int = 0
    applied: Applied = field(default_factory=Applied)
    up_to_date: bool = False
    running: bool = False
    error: str | None = None
    snapshots: dict[str, int] = field(default_factory=dict)


def fetch(
    services: Services,
    exchange_name: str,
    budget_seconds: float,
    *,
    lease_seconds: float = LEASE_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
) -> FetchReport:
    """Fetch one exchange and publish what that changed.

    Args:
        budget_seconds: no page is asked for after this time. An API that hands out the whole
            list each time is asked for all of it nevertheless, or it would never get to the end.

    Raises:
        NotFound: no such exchange.
        BadInput: it is disabled.
        CatalogUnavailable: what was committed before stays.
    """
    catalog = services.catalog.exchanges
    exchange = catalog.find(exchange_name)
    if not exchange.enabled:
        raise BadInput(f"Exchange '{exchange_name}' is disabled")
    holder = uuid4().hex
    progress = catalog.begin(exchange, holder, lease_seconds)
    if progress is None:
        return FetchReport(exchange_name, running=True)
    run = _Fetch(services, exchange, holder, progress, budget_seconds, lease_seconds, sleep)
    return replace(run.run(), snapshots=_publish(services, run.applied.signal_types))


def fetch_due(
    services: Services, budget_seconds: float, fresh_seconds: float = 0
) -> list[FetchReport]:
    """Fetch each enabled exchange whose time has come, one after another, within the budget.

    Args:
        fresh_seconds: those that have been up to date for less than this are left alone.

    Raises:
        CatalogUnavailable: some of them have not been asked.
    """
    deadline = time.monotonic() + budget_seconds
    catalog = services.catalog.exchanges
    due = []
    for exchange in catalog.every():
        progress = catalog.progress(exchange)
        ended = progress.last_fetch_complete_ts or 0
        wait = fresh_seconds if progress.up_to_date else 0
        if exchange.enabled and time.time() >= max(progress.next_try_ts, ended + wait):
            due.append((ended, exchange.name))
    reports: list[FetchReport] = []
    for _, name in sorted(due):  # who has waited longest comes first, should the budget end
        left = deadline - time.monotonic()
        if left <= 0 and reports:
            break
        with suppress(NotFound, BadInput):  # deleted or disabled since
            reports.append(fetch(services, name, left))
    return reports


class _Fetch:
    """One run of one exchange."""

    def __init__(
        self,
        services: Services,
        exchange: Exchange,
        holder: str,
        progress: Progress,
        budget_seconds: float,
        lease_seconds: float,
        sleep: Callable[[float], object],
    ) -> None:
        self._services = services
        self._catalog = services.catalog.exchanges
        self._exchange = exchange
        self._holder = holder
        self._progress = progress
        self._deadline = time.monotonic() + budget_seconds
        self._lease_seconds = lease_seconds
        self._sleep = sleep
        self._fetched = 0
        self.applied = Applied()

    def run(self) -> FetchReport:
        up_to_date, failed = False, None
        try:
            try:
                up_to_date = self._attempts()
            except ApiFailed as error:
                failed = error
            self._end(up_to_date, failed)
        except Superseded as error:
            failed = ApiFailed(error.message, None)
        return FetchReport(
            self._exchange.name,
            self._fetched,
            self.applied,
            up_to_date=up_to_date and failed is None,
            error=None if failed is None else str(failed),
        )

    def _attempts(self) -> bool:
        """Whether the end of the list was reached. Raises ApiFailed when it gives up."""
        client = connect(self._services, self._exchange)
        failures = 0
        while True:
            before = self._fetched
            try:
                return self._pull(client) and self._swept()
            except ApiFailed as failed:
                failures = 1 if self._fetched > before else failures + 1
                if failed.wait is None or failures > RETRIES:
                    raise
                pause = max(failed.wait, random.uniform(0.5, 1) * 2.0**failures / 4)
                if time.monotonic() + pause > self._deadline:
                    raise
                self._sleep(pause)

    def _pull(self, client: Client) -> bool:
        """Store delta after delta; whether there are no more, or else the time is up."""
        converter = Converter(client.api, client.config, self._services.signal_types)
        start = self._checkpoint(client.api)
        if start is None:
            self._begin_round()
        classes = list(self._services.signal_types.signal_types.values())
        deltas = client.ask(lambda: iter(client.instance.fetch_iter(classes, start)))
        while (delta := client.ask(lambda: next(deltas, None))) is not None:
            updates, checkpoint, ts = client.ask(partial(_read, delta))
            updates = self._merged(client.api, updates)
            self._store([converter.convert(*item) for item in updates.items()], checkpoint, ts)
            if checkpoint is not None and time.monotonic() >= self._deadline:
                return False
        return True

    def _checkpoint(self, api: Api) -> Any:
        """Where to go on, as the API's class; None to begin at the start."""
        stored, known = self._progress.checkpoint, self._progress.signal_types or []
        if stored is None or not set(self._services.signal_types.enabled()) <= set(known):
            return None
        try:
            checkpoint = from_json(stored, api.get_checkpoint_cls())
            return checkpoint if _resumable(checkpoint) else None
        except Exception:  # of another version of the API: as good as none
            return None

    def _begin_round(self) -> None:
        self._advance(
            checkpoint=None,
            round=self._progress.round + 1,
            sweeping=True,
            signal_types=sorted(self._services.signal_types.enabled()),
            up_to_date=False,
        )

    def _store(self, fetched: Sequence[Fetched], checkpoint: Any, ts: int | None) -> None:
        # Two keys of one delta may look the same as text; the later one is what it says.
        unique = list({one.key: one for one in fetched}.values())
        last = max(len(unique) - 1, 0) // PIECE * PIECE
        for start in range(0, last, PIECE):
            self._advance(unique[start : start + PIECE])
        self._advance(unique[last:], checkpoint=checkpoint, checkpoint_ts=ts)
        self._fetched += len(unique)

    def _merged(self, api: Api, updates: dict[Any, Any]) -> dict[Any, Any]:
        """`updates` as the API merges them with what it said earlier, if it wants to."""
        if api.fetch_value_merge.__func__ is SignalExchangeAPI.fetch_value_merge.__func__:
            return updates
        stored = self._catalog.stored(self._exchange, [key_text(key) for key in updates])
        return {key: _merge(api, stored.get(key_text(key)), new) for key, new in updates.items()}

    def _swept(self) -> bool:
        """Remove what this round has not seen; whether all of it is gone."""
        while self._progress.sweeping:
            removed, applied = self._catalog.sweep(
                self._exchange, self._holder, self._lease_seconds, self._progress.round, PIECE
            )
            self.applied.also(applied)
            if removed < PIECE:
                return True
        return True

    def _end(self, up_to_date: bool, failed: ApiFailed | None) -> None:
        failures = 0 if failed is None else self._progress.failures + 1
        pause = min(LONGEST_BACK_OFF, 15.0 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)
        now = time.time()
        self._advance(
            seconds=0,
            running_fetch_start_ts=None,
            last_fetch_complete_ts=int(now),
            last_fetch_succeeded=failed is None,
            up_to_date=up_to_date,
            sweeping=self._progress.sweeping and not up_to_date,
            error=None if failed is None else str(failed),
            failures=failures,
            next_try_ts=0 if failed is None else int(now + max(pause, failed.wait or 0)),
        )

    def _advance(
        self, fetched: Sequence[Fetched] = (), seconds: float | None = None, **changes: Any
    ) -> None:
        lease = self._lease_seconds if seconds is None else seconds
        progress = replace(self._progress, **changes)
        self.applied.also(
            self._catalog.advance(
                self._exchange, self._holder, lease, changes, fetched, progress.round
            )
        )
        self._progress = progress


def _read(delta: Any) -> tuple[dict[Any, Any], dict[str, Any] | None, int | None]:
    """A delta's updates, its checkpoint as JSON, None if one cannot resume, and its time."""
    checkpoint = delta.checkpoint
    ts = checkpoint.get_progress_timestamp()
    stored = as_json(checkpoint) if _resumable(checkpoint) else None
    return dict(delta.updates), stored, None if ts is None else int(ts)


def _resumable(checkpoint: Any) -> bool:
    return bool(dataclasses.fields(checkpoint)) and not checkpoint.is_stale()


def _merge(api: Api, stored: Any, new: Any) -> Any:
    if new is None or isinstance(new, Poisoned):
        return new
    old = None
    try:
        if stored and stored.get("value") is not None:
            old = from_json(stored["value"], type(new))
        return api.fetch_value_merge(old, new)
    except Exception as error:
        return Poisoned(f"it cannot be merged with what it was: {error}", "")


def _publish(services: Services, signal_types: Iterable[str]) -> dict[str, int]:
    """Publish these types. What cannot be now is marked, and the scheduled `publish` does it."""
    try:
        return {name: services.publisher.publish(name) for name in sorted(signal_types)}
    except HmaError:
        return {}
