"""A process that fetches an exchange to its end, unless it is killed: `prove_fetch` does that.

Says in a file, one JSON object a line, what it did in each part of its time.
"""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from core.exchanges.fetch import Fetcher
from core.exchanges.registry import ExchangeApis
from core.services import Services
from core.settings import Settings

LEASE_SECONDS = 1.0
"""Short, so that whoever comes after one that was killed need not wait long."""

PART_SECONDS = 2.0


def fetch_all(settings: Settings, exchange: str, url: str, said: Path) -> None:
    """Fetch `exchange`, whose API is asked at `url` instead of where it is, if one is given."""
    services = Services(settings)
    api = services.exchange_apis.get(services.catalog.exchanges.get(exchange).api)
    if url:
        services.exchange_apis = ExchangeApis({api.get_name(): api.at(url)})
    fetcher = Fetcher(
        services.catalog,
        services.connector,
        services.signal_types,
        services.publisher.publish,
        lease_seconds=LEASE_SECONDS,
    )
    with said.open("w") as output:
        while True:
            report = fetcher.fetch(exchange, time.monotonic() + PART_SECONDS)
            if report.running:
                time.sleep(LEASE_SECONDS / 10)
                continue
            done = {**asdict(report), "applied": None, "memory": memory()}
            print(json.dumps(done), file=output, flush=True)
            if report.error is not None:
                sys.exit(report.error)
            if report.up_to_date:
                return


def memory() -> int:
    """Bytes that this process holds."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
