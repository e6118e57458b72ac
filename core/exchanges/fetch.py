"""Fetching exchanges: each from where it stopped, for as long as it may; then publishing.

One fetch at a time has an exchange, under a lease; one that lost it changes nothing any more.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from core.catalog import Catalog
from core.errors import BadInput, HmaError, NotFound
from core.exchanges.client import Connector
from core.exchanges.fetch_report import FetchReport
from core.exchanges.fetch_run import FetchRun
from core.exchanges.held_exchange import HeldExchange
from core.signal_types.enabled import SignalTypes

LEASE_SECONDS = 180.0
"""How long a fetch that died keeps its exchange. Renewed with each commit."""


class Fetcher:
    """Fetches the exchanges of one deployment.

    Args:
        publish: brings the index of one signal type up to the catalog, as `Publisher.publish`.
        lease_seconds: how long a fetch that died keeps its exchange.
        sleep: waits for so many seconds between attempts.
    """

    def __init__(
        self,
        catalog: Catalog,
        connector: Connector,
        signal_types: SignalTypes,
        publish: Callable[[str], int],
        *,
        lease_seconds: float = LEASE_SECONDS,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._catalog = catalog
        self._connector = connector
        self._signal_types = signal_types
        self._publish = publish
        self._lease_seconds = lease_seconds
        self._sleep = sleep

    def fetch(self, exchange_name: str, deadline: float) -> FetchReport:
        """Fetch one exchange and publish what that changed.

        Args:
            deadline: of `time.monotonic()`. No page is asked for after it but the first. An API
                that hands out the whole list each time is asked for all of it nevertheless, or
                it would never get to the end.

        Raises:
            NotFound: no such exchange.
            BadInput: it is disabled.
            CatalogUnavailable: what was committed before stays.
        """
        exchange = self._catalog.exchanges.get(exchange_name)
        if not exchange.enabled:
            raise BadInput(f"Exchange '{exchange_name}' is disabled")
        held = HeldExchange.take(self._catalog, exchange, self._lease_seconds)
        if held is None:
            return FetchReport(exchange_name, running=True)
        report = FetchRun(held, self._connector, self._signal_types, deadline, self._sleep).run()
        return replace(report, snapshots=self._publish_types(report.applied.signal_types))

    def fetch_due(self, deadline: float, fresh_seconds: float = 0) -> list[FetchReport]:
        """Fetch each enabled exchange whose time has come, one after another, until `deadline`.

        Args:
            deadline: of `time.monotonic()`. The one that has waited longest is fetched even so.
            fresh_seconds: those that have been up to date for less than this are left alone.

        Raises:
            CatalogUnavailable: some of them have not been asked.
        """
        reports: list[FetchReport] = []
        for name in self._due(fresh_seconds):
            if time.monotonic() >= deadline and reports:
                break
            with suppress(NotFound, BadInput):  # deleted or disabled since
                reports.append(self.fetch(name, deadline))
        return reports

    def _due(self, fresh_seconds: float) -> list[str]:
        """Who has waited longest comes first, should the time end."""
        due = []
        for exchange in self._catalog.exchanges.every():
            progress = self._catalog.progress.get(exchange)
            ended = progress.last_fetch_complete_ts or 0
            wait = fresh_seconds if progress.up_to_date else 0
            if exchange.enabled and time.time() >= max(progress.next_try_ts, ended + wait):
                due.append((ended, exchange.name))
        return [name for _, name in sorted(due)]

    def _publish_types(self, signal_types: Iterable[str]) -> dict[str, int]:
        """What cannot be published now is marked, and the scheduled `publish` does it."""
        try:
            return {name: self._publish(name) for name in sorted(signal_types)}
        except HmaError:
            return {}
