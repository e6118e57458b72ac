"""Fetches each exchange from its fake while the fetcher is killed again and again.

At the end the catalog and the published snapshot have exactly what the exchange has: nothing is
lost, nothing is left over, nothing is there twice. A test does it in short; in full it is
`make prove-fetch`, which prints a JSON object for each exchange and fails if one is not exact.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from core.settings import Settings
from local_runtime.demo.fake_exchanges import (
    FakeExchange,
    FakeNcmec,
    FakeStopNcii,
    FakeTat,
    FakeThreatExchange,
    Ledger,
)
from tests.deployment import Deployment, settings_for
from tests.forked import start
from tests.published import published_entries
from tests.system.fetcher import fetch_all
from tests.waiting import until

FAKES: Mapping[str, type[FakeExchange]] = {
    "fb_threatexchange": FakeThreatExchange,
    "ncmec": FakeNcmec,
    "stop_ncii": FakeStopNcii,
    "tat": FakeTat,
}
NAMES = (*FAKES, "local_file")
EXCHANGE = "PROVEN"
TYPES = ("pdq", "video_md5")
SETTLING = {"ncmec": 8.0}
"""Seconds that changes are left alone for, because NCMEC tells them in no order."""

PATIENCE = 900.0
"""Seconds for one life of the fetcher."""


@dataclass(frozen=True)
class Proof:
    """What became of one exchange.

    Attributes:
        live: signals that the exchange has at the end.
        lost: of them, those that the catalog or the snapshot does not have.
        left_over: contents of the catalog or the snapshot beyond them, doubles too.
        kills: fetchers that were killed.
        seconds: until the end, kills included.
        memory: the most bytes that a fetcher held, after the first part of its time and at all.
    """

    exchange: str
    database: str
    live: int
    lost: int
    left_over: int
    kills: int
    seconds: float
    memory: tuple[int, int]

    @property
    def exact(self) -> bool:
        return self.lost == 0 and self.left_over == 0


def prove(
    name: str, signals: int, kills: int, folder: Path, seed: int = 0, database: str | None = None
) -> Proof:
    """Fetch `signals` from the fake of API `name`, killing the fetcher `kills` times.

    Between kills the exchange removes and adds signals, and tells of some that are none.
    """
    rng = random.Random(f"changes {seed}")  # other signals than those of the start
    source = _File(folder / "list") if name == "local_file" else _Fake(FAKES[name])
    own = {} if database is None else {"database_url": database}
    services = Deployment(settings_for(folder, **own))
    said = folder / "said"
    with source.serving() as (url, ledger):
        ledger.fill(signals, seed)
        source.write()
        config = services.exchange_apis.complete_config(name, EXCHANGE, source.config())
        services.catalog.exchanges.create(EXCHANGE, name, config)
        if source.credentials():
            services.credentials.set(name, source.credentials())
        began = time.monotonic()
        # Anywhere, but for the moment before the first record.
        marks = sorted(rng.randrange(1, signals) for _ in range(kills))
        memory: list[list[int]] = []
        killed = 0
        for mark in marks:
            with _fetcher(services.settings, url, said) as process:
                killed += _kill_at(process, services, mark, rng)
            memory.append(_memory(said))
            _change(ledger, rng, max(signals // 100, 1))
            source.write()
        changed = time.time()
        until(lambda: time.time() > changed + SETTLING.get(name, 0))
        with _fetcher(services.settings, url, said) as process:
            process.join(PATIENCE)
            assert process.exitcode == 0, "the last fetcher failed"
        memory.append(_memory(said))
        seconds = time.monotonic() - began
        live = Counter(ledger.live())
    for signal_type in TYPES:
        services.publisher.publish(signal_type)
    lost, left_over = 0, 0
    for held in (_catalog(services), _snapshot(services)):
        lost += sum((live - held).values())
        left_over += sum((held - live).values())
    services.catalog.close()
    firsts = [one[0] for one in memory if one]
    return Proof(
        name,
        "postgresql" if database else "sqlite",
        sum(live.values()),
        lost,
        left_over,
        killed,
        round(seconds, 1),
        (max(firsts), max(max(one) for one in memory if one)),
    )


class _Fake:
    """A fake exchange as a source of signals."""

    def __init__(self, kind: type[FakeExchange]) -> None:
        self._fake = kind(Ledger(), page_size=200)

    @contextmanager
    def serving(self) -> Iterator[tuple[str, Ledger]]:
        with self._fake:
            yield self._fake.url, self._fake.ledger

    def write(self) -> None:
        """It is served as it is."""

    def config(self) -> Mapping[str, Any]:
        return self._fake.config()

    def credentials(self) -> Mapping[str, str]:
        return self._fake.credentials()


class _File:
    """A file as a source of signals, which is replaced as a whole when they change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ledger = Ledger()

    @contextmanager
    def serving(self) -> Iterator[tuple[str, Ledger]]:
        with nullcontext():
            yield "", self._ledger

    def write(self) -> None:
        lines = [f"{name} {signal}\n" for name, signal in sorted(self._ledger.live())]
        new = self._path.with_suffix(".new")
        new.write_text("".join(lines))
        new.replace(self._path)

    def config(self) -> Mapping[str, Any]:
        return {"filename": str(self._path)}

    def credentials(self) -> Mapping[str, str]:
        return {}


def _change(ledger: Ledger, rng: random.Random, count: int) -> None:
    """Remove and add `count` signals, one of them poisoned."""
    ledger.not_before(int(time.time()))
    for signal_type, signal in rng.sample(sorted(ledger.live()), count):
        assert signal_type in TYPES
        ledger.remove(signal)
    for _ in range(count):
        ledger.add(rng.randbytes(32).hex())
    ledger.poison(f"none of them {rng.random()}")


@contextmanager
def _fetcher(settings: Settings, url: str, said: Path) -> Iterator[BaseProcess]:
    said.unlink(missing_ok=True)
    process = start(fetch_all, settings, EXCHANGE, url, said)
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _kill_at(process: BaseProcess, services: Deployment, records: int, rng: random.Random) -> bool:
    """Kill it once so many records are there, or a moment later; whether it still ran."""
    exchange = services.catalog.exchanges.get(EXCHANGE)
    deadline = time.monotonic() + PATIENCE
    while process.is_alive() and services.catalog.records.count(exchange) < records:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(rng.random() / 10)  # within a request, a conversion, a transaction, publishing
    running = process.is_alive()
    process.kill()
    assert running or process.exitcode == 0, "a fetcher failed by itself"
    return running


def _memory(said: Path) -> list[int]:
    lines = said.read_text().splitlines() if said.exists() else []
    return [json.loads(line)["memory"] for line in lines if line.endswith("}")]


def _catalog(services: Deployment) -> Counter[tuple[str, str]]:
    return Counter(
        (name, signal)
        for name in TYPES
        for entry in services.catalog.entries.every(name)
        for signal in entry.signals
    )


def _snapshot(services: Deployment) -> Counter[tuple[str, str]]:
    return Counter(
        (name, signal)
        for name in TYPES
        for entry in published_entries(services, signal_type=name).values()
        for signal in entry.signals
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("names", nargs="*", default=NAMES)
    given = parser.parse_args()
    failed = False
    for name in given.names or NAMES:
        with tempfile.TemporaryDirectory(prefix="hma-prove-") as folder:
            proof = prove(name, given.signals, given.kills, Path(folder), given.seed)
        print(json.dumps({"prove": "fetch", **asdict(proof), "exact": proof.exact}), flush=True)
        failed = failed or not proof.exact
    sys.exit(failed)


if __name__ == "__main__":
    main()
