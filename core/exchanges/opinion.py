"""Telling exchanges what we found of their records, where they want to hear it.

An opinion is recorded on content that came from an exchange. It is queued only if that exchange
is switched on for it, and then told again and again, ever less often, until the exchange has
heard it or will not. Telling twice is possible (we die between telling and noting it) and, for
every API of ours, harmless.
"""

import random
import time
from dataclasses import dataclass
from uuid import uuid4

from core.catalog import Catalog
from core.catalog.exchange.exchange import Exchange
from core.catalog.exchange.opinion import Opinion, OpinionState
from core.exchanges.client import ApiFailed, Connector
from core.exchanges.convert import typed_key, typed_record

ATTEMPTS = 12
"""Over some three days. After that it stands as failed, for people to see."""

FIRST_WAIT, LONGEST_WAIT = 30.0, 12 * 3600.0
"""Seconds until an exchange is told again."""

AT_ONCE = 100
LEASE_SECONDS = 180.0


@dataclass(frozen=True)
class OpinionReport:
    """What became of the opinions that an exchange was due to be told.

    Attributes:
        exchange: its name.
        sent: it has heard.
        postponed: it is told again.
        refused: it will not hear, and is not told again.
        finished: whether there were no more that were due.
    """

    exchange: str
    sent: int = 0
    postponed: int = 0
    refused: int = 0
    finished: bool = True


class OpinionSender:
    """Tells the exchanges of one deployment of opinions."""

    def __init__(self, catalog: Catalog, connector: Connector) -> None:
        self._catalog = catalog
        self._connector = connector

    def send_due(self, deadline: float) -> list[OpinionReport]:
        """Tell each exchange that is switched on for it what it has not heard, until `deadline`.

        Args:
            deadline: of `time.monotonic()`. One opinion is sent to each of them even so: where
                fetching takes all the time there is, exchanges hear of opinions nevertheless.

        Raises:
            CatalogUnavailable: some may have been told without our noting it.
        """
        exchanges = [e for e in self._catalog.exchanges.every() if e.report_opinions]
        reports = [self._send(exchange, deadline) for exchange in exchanges]
        return [report for report in reports if report is not None]

    def _send(self, exchange: Exchange, deadline: float) -> OpinionReport | None:
        opinions, leases = self._catalog.opinions, self._catalog.leases
        lease, holder = f"opinions/{exchange.id}", uuid4().hex
        if not opinions.due(exchange, 1) or not leases.take(lease, holder, LEASE_SECONDS):
            return None
        counts = dict.fromkeys(("sent", "postponed", "refused"), 0)
        try:
            due = opinions.due(exchange, AT_ONCE)
            for opinion in due:
                if any(counts.values()) and time.monotonic() >= deadline:
                    break
                if not leases.take(lease, holder, LEASE_SECONDS):
                    break
                state, wait, error = self._tell(exchange, opinion)
                opinions.settle(opinion, state, int(time.time() + wait), error)
                counts[_OUTCOMES[state]] += 1
        finally:
            leases.take(lease, holder, 0)
        finished = sum(counts.values()) == len(due) < AT_ONCE
        return OpinionReport(exchange.name, **counts, finished=finished)

    def _tell(self, exchange: Exchange, opinion: Opinion) -> tuple[OpinionState, float, str | None]:
        """The opinion's state then, seconds until it is told again, and what went wrong."""
        stored = opinion.record or {}
        try:
            client = self._connector.connect(exchange)
            if not hasattr(client.instance, "report"):
                return "unsupported", 0, f"{exchange.api} cannot be told of opinions"
            client.ask(
                lambda: client.instance.report(
                    typed_key(stored.get("key", opinion.record_key)),
                    typed_record(client.api, stored.get("value")),
                    opinion.opinion,
                )
            )
        except ApiFailed as failed:
            final = failed.wait is None or opinion.attempts + 1 >= ATTEMPTS
            pause = min(LONGEST_WAIT, FIRST_WAIT * 2.0**opinion.attempts) * random.uniform(0.5, 1)
            return ("failed" if final else "queued"), max(pause, failed.wait or 0), str(failed)
        return "sent", 0, None


_OUTCOMES = {"sent": "sent", "queued": "postponed", "failed": "refused", "unsupported": "refused"}
