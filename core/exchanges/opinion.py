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

from core.catalog.exchange.exchange import Exchange
from core.catalog.exchange.opinion import Opinion, State
from core.exchanges.client import ApiFailed, connect
from core.exchanges.convert import typed_key, typed_record
from core.services import Services

ATTEMPTS = 12
"""Over some three days. After that it stands as failed, for people to see."""

FIRST_WAIT, LONGEST_WAIT = 30.0, 12 * 3600.0
"""Seconds until an exchange is told again."""

AT_ONCE = 100
LEASE_SECONDS = 180.0


@dataclass(frozen=True)
class OpinionReport:
    """What became of the opinions that an exchange was due to be told."""

    exchange: str
    sent: int = 0
    postponed: int = 0
    refused: int = 0


def send_due(services: Services, budget_seconds: float) -> list[OpinionReport]:
    """Tell each exchange that is switched on for it what it has not heard, within the budget.

    Raises:
        CatalogUnavailable: some may have been told without our noting it.
    """
    deadline = time.monotonic() + budget_seconds
    exchanges = [one for one in services.catalog.exchanges.every() if one.report_opinions]
    return [report for one in exchanges if (report := _send(services, one, deadline)) is not None]


def _send(services: Services, exchange: Exchange, deadline: float) -> OpinionReport | None:
    catalog = services.catalog.exchanges
    due = catalog.opinions_due(exchange, AT_ONCE)
    lease, holder = f"opinions/{exchange.id}", uuid4().hex
    if not due or not services.catalog.lease(lease, holder, LEASE_SECONDS):
        return None
    counts = {"sent": 0, "postponed": 0, "refused": 0}
    try:
        for opinion in catalog.opinions_due(exchange, AT_ONCE):
            if time.monotonic() >= deadline or not services.catalog.lease(
                lease, holder, LEASE_SECONDS
            ):
                break
            state, wait, error = _tell(services, exchange, opinion)
            catalog.settle(opinion, state, int(time.time() + wait), error)
            counts[_OUTCOMES[state]] += 1
    finally:
        services.catalog.lease(lease, holder, 0)
    return OpinionReport(exchange.name, **counts)


_OUTCOMES = {"sent": "sent", "queued": "postponed", "failed": "refused", "unsupported": "refused"}


def _tell(
    services: Services, exchange: Exchange, opinion: Opinion
) -> tuple[State, float, str | None]:
    """Tell one: the state it is in then, seconds until it is told again, and what went wrong."""
    stored = opinion.record or {}
    try:
        client = connect(services, exchange)
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
