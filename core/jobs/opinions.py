"""Telling exchanges of the opinions that they are due to hear."""

from core.exchanges.opinion import OpinionReport
from core.services import Services


class OpinionsJob:
    """Tells each exchange that wants to hear them of opinions on its records."""

    def __init__(self, services: Services) -> None:
        self._sender = services.opinion_sender

    def run(self, deadline: float) -> bool:
        """As `Job.run`; what an exchange does not take now is told later, and is no failure."""
        return all(report.finished for report in self.send(deadline))

    def send(self, deadline: float) -> list[OpinionReport]:
        """Tell them until `deadline`, and say how it went with each that was told of any.

        Raises:
            CatalogUnavailable: some may have been told without our noting it.
        """
        return self._sender.send_due(deadline)
