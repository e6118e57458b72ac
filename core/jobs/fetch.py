"""Fetching the exchanges that are due."""

from core.errors import Unavailable
from core.exchanges.fetch_report import FetchReport
from core.services import Services


class FetchJob:
    """Fetches exchanges, one after another.

    Args:
        fresh_seconds: exchanges that have been up to date for less than this are left alone.
    """

    def __init__(self, services: Services, fresh_seconds: float = 0) -> None:
        self._fetcher = services.fetcher
        self._fresh_seconds = fresh_seconds

    def run(self, deadline: float) -> bool:
        """As `Job.run`; an exchange that failed is the others' gain, and told at the end."""
        reports = self.fetch(deadline)
        failed = [f"{report.exchange}: {report.error}" for report in reports if report.error]
        if failed:
            raise Unavailable("; ".join(failed))
        return all(report.up_to_date or report.running for report in reports)

    def fetch(self, deadline: float, exchange: str | None = None) -> list[FetchReport]:
        """Fetch until `deadline`, and say how each went.

        Args:
            exchange: the name of the only one to fetch, also if it is not due; None: all due.

        Raises:
            NotFound: no such exchange.
            BadInput: it is disabled.
            CatalogUnavailable: what was committed before stays.
        """
        if exchange is None:
            return self._fetcher.fetch_due(deadline, self._fresh_seconds)
        return [self._fetcher.fetch(exchange, deadline)]
