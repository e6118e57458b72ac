"""One fetch of one exchange: delta after delta from its API, each tried again if it fails."""

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI

from core.errors import Superseded
from core.exchanges.client import ApiFailed, Connector, ExchangeClient
from core.exchanges.convert import Converter, key_text
from core.exchanges.dataclass_json import from_json
from core.exchanges.fetch_report import FetchReport
from core.exchanges.held_exchange import HeldExchange, Position
from core.exchanges.poison import Poisoned
from core.exchanges.registry import Api
from core.signal_types.enabled import SignalTypes

RETRIES = 3
"""Attempts after a failure, without any progress, before the rest is left to the next fetch."""


class FetchRun:
    """One fetch of an exchange that it holds.

    Args:
        deadline: of `time.monotonic()`; no page is asked for after it.
        sleep: waits for so many seconds between attempts.
    """

    def __init__(
        self,
        held: HeldExchange,
        connector: Connector,
        signal_types: SignalTypes,
        deadline: float,
        sleep: Callable[[float], object],
    ) -> None:
        self._held = held
        self._connector = connector
        self._signal_types = signal_types
        self._deadline = deadline
        self._sleep = sleep

    def run(self) -> FetchReport:
        """Fetch, give the exchange back, and say how it went.

        Raises:
            CatalogUnavailable: what was committed before stays.
        """
        up_to_date, failed = False, None
        try:
            try:
                up_to_date = self._pull_patiently()
            except ApiFailed as error:
                failed = error
            self._held.give_back(up_to_date=up_to_date, failed=failed)
        except Superseded as error:
            failed = ApiFailed(error.message, None)
        return FetchReport(
            self._held.exchange.name,
            self._held.fetched,
            self._held.applied,
            up_to_date=up_to_date and failed is None,
            error=None if failed is None else str(failed),
        )

    def _pull_patiently(self) -> bool:
        """Whether the end of the list was reached. Raises ApiFailed when it gives up."""
        client = self._connector.connect(self._held.exchange)
        failures = 0
        while True:
            before = self._held.fetched
            try:
                return self._pull(client)
            except ApiFailed as failed:
                failures = 1 if self._held.fetched > before else failures + 1
                if failed.wait is None or failures > RETRIES:
                    raise
                pause = max(failed.wait, random.uniform(0.5, 1) * 2.0**failures / 4)
                if time.monotonic() + pause > self._deadline:
                    raise
                self._sleep(pause)

    def _pull(self, client: ExchangeClient) -> bool:
        """Store delta after delta; whether there are no more, or else the time is up."""
        converter = Converter(client.api, client.config, self._signal_types)
        enabled = self._signal_types.enabled()
        start = self._held.checkpoint(client.api, enabled)
        if start is None:
            self._held.begin_round(enabled)
        classes = list(self._signal_types.signal_types.values())
        deltas = client.ask(lambda: iter(client.instance.fetch_iter(classes, start)))
        while (delta := client.ask(lambda: next(deltas, None))) is not None:
            updates, position = client.ask(partial(_read_delta, delta))
            updates = self._merge_updates(client.api, updates)
            self._held.store([converter.convert(*item) for item in updates.items()], position)
            if position.checkpoint is not None and time.monotonic() >= self._deadline:
                return False
        self._held.end_round()
        return True

    def _merge_updates(self, api: Api, updates: dict[Any, Any]) -> dict[Any, Any]:
        """`updates` as the API merges them with what it said earlier, if it wants to."""
        if api.fetch_value_merge.__func__ is SignalExchangeAPI.fetch_value_merge.__func__:
            return updates
        stored = self._held.records([key_text(key) for key in updates])
        return {key: _merge(api, stored.get(key_text(key)), new) for key, new in updates.items()}


def _read_delta(delta: Any) -> tuple[dict[Any, Any], Position]:
    """A delta's updates, and where to go on behind them."""
    return dict(delta.updates), Position.from_api(delta.checkpoint)


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
