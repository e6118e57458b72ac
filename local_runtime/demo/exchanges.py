"""The first look at exchanges, without an account of any: lists are fetched from fakes of them,
over HTTP, while these do what real ones do at times; then members withdraw what they shared.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.errors import Unavailable
from local_runtime.commands.server_client import ServerClient
from local_runtime.demo.fake_exchanges import (
    FakeExchange,
    FakeNcmec,
    FakeStopNcii,
    FakeTat,
    FakeThreatExchange,
    Fault,
)

FAULTS = {
    "fb_threatexchange": (Fault.THROTTLE, 2, "throttled"),
    "ncmec": (Fault.MALFORMED, 16, "half a page"),
    "stop_ncii": (Fault.DROP, 2, "cut off"),
    "tat": (Fault.REFUSE, 2, "login expired"),
}
"""What goes wrong with one page of each, how many pages come before it, and a word for it.

NCMEC's first ones are of years that have no entries.
"""

PAGE = 500
POISONED = 3
WITHDRAWN = 100
LONGEST = 300.0
"""Seconds that one list may take."""


@contextmanager
def fake_exchanges(signals: int) -> Iterator[Sequence[FakeExchange]]:
    """One of each, with so many signals and a few records that are none."""
    with ExitStack() as stack:
        fakes = (
            FakeThreatExchange(page_size=PAGE),
            FakeNcmec(page_size=PAGE),
            FakeStopNcii(page_size=PAGE),
            FakeTat(page_size=PAGE),
        )
        for seed, fake in enumerate(fakes):
            fake.ledger.fill(signals, seed)
            for number in range(POISONED):
                fake.ledger.poison(f"no signal, number {number}")
            stack.enter_context(fake)
        yield fakes


def endpoints(fakes: Sequence[FakeExchange]) -> tuple[str, ...]:
    """The setting that sends a deployment to them."""
    return tuple(f"{fake.NAME}={fake.url}" for fake in fakes)


def show_exchanges(client: ServerClient, fakes: Sequence[FakeExchange], console: Console) -> bool:
    """Fetch each of `fakes`, which the server behind `client` must have as its endpoints.

    Returns:
        Whether all that they list matches in the end, and nothing that was withdrawn.
    """
    for fake in fakes:
        client.set_credentials(fake.NAME, fake.credentials())
        client.create_exchange(_bank(fake), fake.NAME, fake.config())
        fault, skip, _ = FAULTS[fake.NAME]
        fake.arm(fault, skip=skip)
    _fetch_all(client, fakes, console)
    table = Table(title=f"Lists fetched; then {WITHDRAWN} signals of each are withdrawn")
    table.add_column("exchange", no_wrap=True)
    table.add_column("in spite of")
    table.add_column("signals", justify="right")
    table.add_column("set aside", justify="right")
    table.add_column("matches")
    table.add_column("once withdrawn")
    before = {fake: _count_fetched(client, fake) for fake in fakes}
    known = {fake: sorted(fake.ledger.live())[:WITHDRAWN] for fake in fakes}
    complete = all(_is_complete(client, fake) for fake in fakes)
    matched = {fake: _matches(client, fake, known[fake][0]) for fake in fakes}
    for fake in fakes:
        for _, signal in known[fake]:
            fake.ledger.remove(signal)
    _fetch_all(client, fakes, console)
    for fake in fakes:
        left = _matches(client, fake, known[fake][0])
        complete = complete and matched[fake] and not left and _is_complete(client, fake)
        table.add_row(
            fake.NAME,
            FAULTS[fake.NAME][2],
            f"{before[fake]['contents']:,}",
            f"{before[fake]['poisoned']:,}",
            "yes" if matched[fake] else "NO",
            "yes" if left else "no more",
        )
    console.print(table)
    return complete


def _fetch_all(client: ServerClient, fakes: Sequence[FakeExchange], console: Console) -> None:
    columns = (
        TextColumn("{task.description:18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        ThreadPoolExecutor(1) as pool,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        for fake in fakes:
            total = len(fake.ledger.live()) + POISONED
            task = progress.add_task(fake.NAME, total=total)
            fetched = pool.submit(_fetch, client, fake)
            count = 0
            for count in _counts(client, fake, fetched):
                progress.update(task, completed=count)
            fetched.result()
            if not console.is_terminal:
                console.print(f"fetched {count:,} records of {fake.NAME}")


def _fetch(client: ServerClient, fake: FakeExchange) -> None:
    """Fetch until lookups know all there is: the scheduled fetch may have got there first."""
    deadline = time.monotonic() + LONGEST
    while not (report := client.fetch(_bank(fake)))["up_to_date"]:
        if report["error"] or time.monotonic() > deadline:
            raise Unavailable(f"{fake.NAME} could not be fetched: {report['error'] or 'too slow'}")
        time.sleep(0.2)
    client.publish()


def _counts(client: ServerClient, fake: FakeExchange, fetched: Future[None]) -> Iterator[int]:
    """How many records there are, until there will not be more."""
    while not fetched.done():
        yield _count_fetched(client, fake)["records"]
        time.sleep(0.1)
    yield _count_fetched(client, fake)["records"]


def _count_fetched(client: ServerClient, fake: FakeExchange) -> dict[str, Any]:
    counts: dict[str, Any] = client.exchange_progress(_bank(fake))["fetched"]
    return counts


def _is_complete(client: ServerClient, fake: FakeExchange) -> bool:
    progress = client.exchange_progress(_bank(fake))
    contents = progress["fetched"]["contents"]
    return bool(progress["ready"] and contents == len(fake.ledger.live()))


def _matches(client: ServerClient, fake: FakeExchange, known: tuple[str, str]) -> bool:
    return _bank(fake) in client.lookup(*known)


def _bank(fake: FakeExchange) -> str:
    return f"DEMO_{fake.NAME.upper()}"
