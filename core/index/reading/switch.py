"""Whether a signal type is on: what hashing asks, which needs nothing else of an index.

The newest snapshot says so. Of it one object is read, and while it is the newest, one request
asks for its successor: no segment, no list of banks.
"""

import logging
import time
from collections.abc import Callable

from core.index.objects.layout import Layout
from core.index.objects.snapshot import Snapshot, newest_snapshot
from core.index.reading.looks import Looker, Patience
from core.settings import Settings
from core.store import ObjectStore

_log = logging.getLogger(__name__)


class Switch:
    """The ratio of one signal type, remembered, and looked up anew by those who ask."""

    def __init__(
        self,
        layout: Layout,
        store: ObjectStore,
        settings: Settings,
        patience: Patience,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._layout = layout
        self._store = store
        self._settings = settings
        self._clock = clock
        self._looker = Looker(self._look, patience)
        self._newest: Snapshot | None = None
        self._looked_at = float("-inf")
        self._confirmed_at = float("-inf")

    def enabled_ratio(self) -> float:
        """As the newest snapshot says, or the last one that the store told of; 1.0 before that."""
        self._looker.look(self._is_due, join=self._newest is None)
        return 1.0 if self._newest is None else self._newest.enabled_ratio

    def forget(self) -> None:
        """Ask the store at the next question."""
        self._looked_at = float("-inf")

    def _is_due(self) -> bool:
        return not 0 <= self._clock() - self._looked_at < self._settings.refresh_seconds

    def _look(self) -> None:
        asked_at = self._clock()
        # A number that was deleted while we slept must not lead us to a second, false successor.
        recent = asked_at - self._confirmed_at < self._settings.max_stale_seconds
        try:
            newest = newest_snapshot(self._store, self._layout, self._newest if recent else None)
        except Exception as error:  # whatever the store does, photos are hashed
            _log.warning("whether %s is on is not known: %s", self._layout.signal_type, error)
        else:
            self._newest, self._confirmed_at = newest or self._newest, asked_at
        self._looked_at = asked_at
