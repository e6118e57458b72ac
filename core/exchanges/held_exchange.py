"""An exchange while one fetch has it: its records and its progress, written under a lease.

What a page of the exchange says and the checkpoint behind it are committed together, so a fetch
that dies anywhere goes on from there. A fetch from the start of the list is a *round*: when it
reaches the end, what it has not seen is gone there and leaves here too. A round begins when there
is no checkpoint yet, when the checkpoint is stale, when it cannot say where to go on (some APIs
hand out the whole list each time), and when a signal type has been enabled since.

Knows the catalog, and of the exchange's API no more than the class of its checkpoint.
"""

import dataclasses
import random
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import uuid4

from core.catalog import Catalog
from core.catalog.exchange.exchange import Exchange
from core.catalog.exchange.fetch_progress import Progress
from core.catalog.exchange.fetched_record import ContentChanges, FetchedRecord
from core.exchanges.client import ApiFailed
from core.exchanges.dataclass_json import as_json, from_json
from core.exchanges.registry import Api

PIECE = 5000
"""Records a transaction. A longer delta has its checkpoint in the last of several."""

LONGEST_BACK_OFF = 3600.0
"""Seconds until the next scheduled fetch of an exchange that keeps failing."""


@dataclass(frozen=True)
class Position:
    """Where a list can be read on from.

    Attributes:
        checkpoint: as JSON; None if nothing can be read on from it.
        ts: the time it stands for, if the API says.
    """

    checkpoint: dict[str, Any] | None
    ts: int | None

    @classmethod
    def from_api(cls, checkpoint: Any) -> Self:
        """Of a checkpoint as the API's class has it. Raises whatever that class raises."""
        ts = checkpoint.get_progress_timestamp()
        stored = as_json(checkpoint) if _is_resumable(checkpoint) else None
        return cls(stored, None if ts is None else int(ts))


class HeldExchange:
    """An exchange that this fetch has. Each method renews the lease, or raises Superseded.

    Attributes:
        exchange: which one.
        applied: what has been changed so far.
        fetched: records that have been stored so far.
    """

    def __init__(
        self,
        catalog: Catalog,
        exchange: Exchange,
        holder: str,
        progress: Progress,
        lease_seconds: float,
    ) -> None:
        self.exchange = exchange
        self.applied = ContentChanges()
        self.fetched = 0
        self._catalog = catalog
        self._holder = holder
        self._progress = progress
        self._lease_seconds = lease_seconds

    @classmethod
    def take(cls, catalog: Catalog, exchange: Exchange, lease_seconds: float) -> Self | None:
        """The exchange, held for `lease_seconds`; None while another fetch has it.

        Raises:
            NotFound: it has been deleted.
        """
        holder = uuid4().hex
        progress = catalog.progress.begin(exchange, holder, lease_seconds)
        if progress is None:
            return None
        return cls(catalog, exchange, holder, progress, lease_seconds)

    def checkpoint(self, api: Api, signal_types: Collection[str]) -> Any:
        """Where to go on, as the API's class; None to begin a round at the start.

        Args:
            signal_types: those that are enabled now.
        """
        stored, covered = self._progress.checkpoint, self._progress.signal_types or []
        if stored is None or not set(signal_types) <= set(covered):
            return None
        try:
            checkpoint = from_json(stored, api.get_checkpoint_cls())
            return checkpoint if _is_resumable(checkpoint) else None
        except Exception:  # of another version of the API: as good as none
            return None

    def begin_round(self, signal_types: Iterable[str]) -> None:
        """Begin at the start of the list, for these signal types."""
        self._advance(
            checkpoint=None,
            round=self._progress.round + 1,
            sweeping=True,
            signal_types=sorted(signal_types),
            up_to_date=False,
        )

    def records(self, keys: Sequence[str]) -> dict[str, Any]:
        """What is stored under those of `keys` that are here, as JSON."""
        return self._catalog.records.get(self.exchange, keys)

    def store(self, records: Sequence[FetchedRecord], position: Position) -> None:
        """Store records, and with the last of them the position behind them."""
        # Two keys of one delta may look the same as text; the later one is what it says.
        unique = list({record.key: record for record in records}.values())
        last = max(len(unique) - 1, 0) // PIECE * PIECE
        for start in range(0, last, PIECE):
            self._advance(unique[start : start + PIECE])
        self._advance(unique[last:], checkpoint=position.checkpoint, checkpoint_ts=position.ts)
        self.fetched += len(unique)

    def end_round(self) -> None:
        """The end of the list was reached: remove what this round has not seen."""
        removed = PIECE
        while self._progress.sweeping and removed == PIECE:
            removed, applied = self._catalog.records.sweep(
                self.exchange, self._holder, self._lease_seconds, self._progress.round, PIECE
            )
            self.applied.also(applied)

    def give_back(self, *, up_to_date: bool, failed: ApiFailed | None) -> None:
        """End the fetch: say how it went, and when to try again if it failed."""
        failures = 0 if failed is None else self._progress.failures + 1
        pause = min(LONGEST_BACK_OFF, 15.0 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)
        now = time.time()
        self._advance(
            lease_seconds=0,
            running_fetch_start_ts=None,
            last_fetch_complete_ts=int(now),
            last_fetch_succeeded=failed is None,
            up_to_date=up_to_date,
            sweeping=self._progress.sweeping and not up_to_date,
            error=None if failed is None else str(failed),
            failures=failures,
            next_try_ts=0 if failed is None else int(now + max(pause, failed.wait or 0)),
        )

    def _advance(
        self,
        records: Sequence[FetchedRecord] = (),
        lease_seconds: float | None = None,
        **changes: Any,
    ) -> None:
        lease = self._lease_seconds if lease_seconds is None else lease_seconds
        progress = replace(self._progress, **changes)
        self.applied.also(
            self._catalog.records.store(
                self.exchange, self._holder, lease, changes, records, progress.round
            )
        )
        self._progress = progress


def _is_resumable(checkpoint: Any) -> bool:
    return bool(dataclasses.fields(checkpoint)) and not checkpoint.is_stale()
