"""A whole deployment in one process for tests: a real catalog, a real store, a real index."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.index.objects.layout import Layout
from core.index.objects.snapshot import Snapshot, newest_snapshot
from core.index.publishing.publish import Publisher
from core.index.reading.read import Index
from core.services import Services
from core.settings import Settings
from tests.migrated import on_sqlite

BANK = "KNOWN"


def settings_for(folder: Path, **changes: Any) -> Settings:
    """Settings of a deployment whose catalog, store and cache all live in `folder`."""
    (folder / "store").mkdir(parents=True, exist_ok=True)
    if "database_url" not in changes and not (folder / "catalog.db").exists():
        on_sqlite(folder / "catalog.db")
    defaults: dict[str, Any] = {
        "store_url": f"file://{folder / 'store'}",
        "database_url": f"sqlite:///{folder / 'catalog.db'}",
        "cache_dir": folder / "cache",
    }
    return Settings.model_validate(defaults | changes)


class Deployment(Services):
    """`Services` with a catalog that is ready, a bank in it, and a clock the test may turn."""

    def __init__(self, settings: Settings, clock: Callable[[], float] | None = None) -> None:
        super().__init__(settings)
        self.catalog.migrate()
        if clock is not None:
            self.publisher = Publisher(
                self.catalog.source, self.store, self.signal_types, settings, clock
            )
            self.index = Index(self.store, self.signal_types, settings, clock)

    def add(self, signal: str, bank: str = BANK, signal_type: str = "pdq", **extra: Any) -> int:
        """Bank a signal, without publishing; its content id."""
        if bank not in {b.name for b in self.catalog.banks.every()}:
            self.catalog.banks.create(bank, 1.0)
        given = {"metadata": None, "note": None} | extra
        return self.catalog.contents.add(bank, {signal_type: signal}, **given).id

    def newest(self, signal_type: str = "pdq") -> Snapshot:
        snapshot = newest_snapshot(self.store, Layout(signal_type))
        assert snapshot is not None
        return snapshot

    def matching(self, signal: str, signal_type: str = "pdq") -> list[int]:
        """Content ids near `signal` by a reader that has seen nothing yet."""
        fresh = Index(self.store, self.signal_types, self.settings)
        return [found.content_id for found in fresh.get(signal_type).search([signal])[0]]


def random_signal(rng: random.Random, bits: int = 256) -> str:
    return rng.randbytes(bits // 8).hex()


def altered(rng: random.Random, signal: str, distance: int) -> str:
    """`signal` with exactly `distance` of its bits flipped."""
    value = int(signal, 16)
    for bit in rng.sample(range(4 * len(signal)), distance):
        value ^= 1 << bit
    return f"{value:0{len(signal)}x}"


class TurnedClock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
