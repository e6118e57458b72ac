"""Bringing every index up to the catalog, which nothing that is committed is found without."""

from core.services import Services


class PublishJob:
    """Publishes what is committed, merges segments and collects what is dead."""

    def __init__(self, services: Services) -> None:
        self._publisher = services.publisher
        self._expect = services.expect_snapshots
        self._signal_types = services.signal_types

    def run(self, deadline: float) -> bool:  # noqa: ARG002  # half a snapshot is of no use
        """As `Job.run`; it always comes to its end."""
        self.publish()
        return True

    def publish(self) -> dict[str, int]:
        """The number of each signal type's newest snapshot, which has all that is committed.

        Raises:
            StoreUnavailable, CatalogUnavailable: calling again goes on.
            SeveralWriters: this store needs a single publisher, and there is another.
        """
        numbers = self._publisher.publish_all()
        self._expect(numbers)
        return numbers

    def rebuild(self) -> None:
        """Make every index anew from the whole catalog, trusting none. Raises as `publish`."""
        for name in self._signal_types.enabled():
            self._publisher.rebuild(name)
