"""The catalog as those see it who fetch: exchanges, their records, progress and opinions."""

import time
from collections.abc import Sequence
from typing import Any

from core.catalog import override
from core.catalog.database import Database
from core.catalog.exchange import credential, exchange, opinion, progress, record
from core.catalog.exchange.exchange import Exchange
from core.catalog.exchange.opinion import Opinion, State
from core.catalog.exchange.progress import Progress
from core.catalog.exchange.record import Applied, Counts, Fetched


class ExchangeCatalog:
    """The part of a `Catalog` that is about exchanges, and raises as that does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> list[Exchange]:
        """All exchanges, by id."""
        with self._database.reading() as session:
            return exchange.every(session)

    def find(self, name: str) -> Exchange:
        """The exchange of this name. Raises NotFound."""
        with self._database.reading() as session:
            return exchange.find(session, name)

    def create(self, name: str, api: str, config: dict[str, Any], enabled: bool = True) -> Exchange:
        """A new exchange with the bank it feeds. Raises BadInput (name), Forbidden (taken)."""
        with self._database.writing() as session:
            return exchange.create(session, name, api, config, enabled)

    def update(
        self, name: str, enabled: bool | None = None, report_opinions: bool | None = None
    ) -> Exchange:
        """The exchange, with what is not None changed. Raises NotFound."""
        with self._database.writing() as session:
            return exchange.update(session, name, enabled, report_opinions)

    def delete(self, name: str) -> None:
        """Delete the exchange with its bank; nothing happens when there is none."""
        with self._database.writing() as session:
            exchange.remove(session, name)

    def progress(self, of: Exchange) -> Progress:
        """How far it has been fetched. Raises NotFound."""
        with self._database.reading() as session:
            return progress.read(session, of.id)

    def count_records(self, of: Exchange) -> int:
        """How many of its records are here, those set aside too."""
        with self._database.reading() as session:
            return record.count_records(session, of.id)

    def counts(self, of: Exchange) -> Counts:
        """What is there of it, and how much of that awaits publication."""
        with self._database.reading() as session:
            return record.count(session, of.id, of.bank_id)

    def poisoned(self, of: Exchange, after: int, limit: int) -> list[tuple[int, str, str, Any]]:
        """(id, key, reason, record) of records set aside, by id, from `after` on."""
        with self._database.reading() as session:
            return record.poisoned(session, of.id, after, limit)

    def stored(self, of: Exchange, keys: Sequence[str]) -> dict[str, Any]:
        """Its records under those of `keys` that are here, as JSON."""
        with self._database.reading() as session:
            return record.stored(session, of.id, keys)

    def begin(self, of: Exchange, holder: str, seconds: float) -> Progress | None:
        """Take it for `seconds`, to fetch it; None while another has it. Raises NotFound."""
        with self._database.writing() as session:
            return progress.begin(session, of.id, holder, seconds, int(time.time()))

    def advance(
        self,
        of: Exchange,
        holder: str,
        seconds: float,
        changes: dict[str, Any],
        fetched: Sequence[Fetched] = (),
        round_number: int = 0,
    ) -> Applied:
        """Store `fetched`, and change the progress, at once; keep it for `seconds` more.

        Args:
            seconds: 0 gives it back.
            changes: fields of `Progress`.

        Raises:
            Superseded: somebody else has it now, or it has been deleted. Nothing has changed.
        """
        with self._database.writing() as session:
            progress.advance(session, of.id, holder, seconds, changes)
            return record.apply(session, of.id, of.bank_id, round_number, fetched)

    def sweep(
        self, of: Exchange, holder: str, seconds: float, round_number: int, limit: int
    ) -> tuple[int, Applied]:
        """Remove up to `limit` records not seen in this round: how many, and what that changed.

        Raises:
            Superseded: as `advance`.
        """
        with self._database.writing() as session:
            progress.advance(session, of.id, holder, seconds, {})
            return record.sweep(session, of.id, round_number, limit)

    def add_opinion(self, bank_name: str, content_id: int, said: str) -> Opinion:
        """Record an opinion on content from an exchange. Raises NotFound or BadInput."""
        with self._database.writing() as session:
            return opinion.add(session, bank_name, content_id, said)

    def opinions(self, bank_name: str, content_id: int) -> list[Opinion]:
        """Opinions on a content, oldest first. Raises NotFound."""
        with self._database.reading() as session:
            return opinion.of_content(session, bank_name, content_id)

    def opinions_due(self, of: Exchange, limit: int) -> list[Opinion]:
        """Up to `limit` opinions that it should be told of by now, oldest first."""
        with self._database.reading() as session:
            return opinion.due(session, of.id, int(time.time()), limit)

    def settle(
        self, settled: Opinion, state: State, next_try_ts: int = 0, error: str | None = None
    ) -> None:
        """Say what became of telling it of an opinion."""
        attempts = settled.attempts + (error is not None)
        with self._database.writing() as session:
            opinion.settle(session, settled.id, state, attempts, next_try_ts, error)

    def count_opinions(self, of: Exchange) -> dict[str, int]:
        """How many opinions on its records are in each state."""
        with self._database.reading() as session:
            return opinion.count(session, of.id)

    def credential(self, api: str) -> str | None:
        """What is stored for an API, sealed or not."""
        with self._database.reading() as session:
            return credential.read(session, api)

    def write_credential(self, api: str, sealed: str | None) -> None:
        """Store it for an API; None deletes what there is."""
        with self._database.writing() as session:
            credential.write(session, api, sealed)

    def overrides(self) -> dict[str, float]:
        """The ratio of each signal type that was given one."""
        with self._database.reading() as session:
            return override.every(session)

    def override(self, signal_type: str, ratio: float) -> None:
        """Give a signal type a ratio. Raises BadInput."""
        with self._database.writing() as session:
            override.put(session, signal_type, ratio)

    def count_contents(self, signal_type: str) -> int:
        """How many contents have signals of this type."""
        with self._database.reading() as session:
            return override.count_contents(session, signal_type)

    def enabled_ratio(self, signal_type: str) -> float:
        """The ratio of a signal type; 1 unless it was given another."""
        return self.overrides().get(signal_type, 1.0)
