"""A deployment's exchanges as its parts are at this moment, which tests replace."""

import time
from collections.abc import Callable

from core.exchanges.client import Connector
from core.exchanges.fetch import LEASE_SECONDS, Fetcher
from core.exchanges.fetch_report import FetchReport
from core.exchanges.opinion import OpinionReport, OpinionSender
from tests.deployment import Deployment


def fetch(
    services: Deployment,
    budget: float = 60,
    lease_seconds: float = LEASE_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
) -> FetchReport:
    """Fetch `LIST` for so many seconds."""
    fetcher = _fetcher(services, lease_seconds, sleep)
    return fetcher.fetch("LIST", time.monotonic() + budget)


def fetch_due(
    services: Deployment, budget: float = 60, fresh_seconds: float = 0
) -> list[FetchReport]:
    """Fetch what is due for so many seconds."""
    fetcher = _fetcher(services, LEASE_SECONDS, time.sleep)
    return fetcher.fetch_due(time.monotonic() + budget, fresh_seconds)


def send_due(services: Deployment, budget: float = 60) -> list[OpinionReport]:
    """Tell exchanges of opinions that are due for so many seconds."""
    sender = OpinionSender(services.catalog, _connector(services))
    return sender.send_due(time.monotonic() + budget)


def _connector(services: Deployment) -> Connector:
    return Connector(services.exchange_apis, services.credentials)


def _fetcher(
    services: Deployment, lease_seconds: float, sleep: Callable[[float], object]
) -> Fetcher:
    return Fetcher(
        services.catalog,
        _connector(services),
        services.signal_types,
        services.publisher.publish,
        lease_seconds=lease_seconds,
        sleep=sleep,
    )
