"""What real processes do to a catalog, some of them until they are killed."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from sqlalchemy import event

from core.catalog import Catalog
from core.errors import NotFound


def migrate(urls: list[str], together: Barrier) -> None:
    """Migrate each of them at the very moment when all others do."""
    try:
        for url in urls:
            catalog = Catalog(url)
            together.wait()
            catalog.migrate()
            assert catalog.banks.every() == []
            catalog.close()
    except BaseException:
        together.abort()  # or the others would wait for us for ever
        raise


def write(catalog: Catalog, writer: int, rounds: int) -> None:
    """Add, change and remove content of a bank that all share, and rename one's own bank.

    Leaves 2 contents a round in the shared bank `ALL`, and 1 in the writer's.
    """
    name = f"OWN_{writer}"
    catalog.banks.create(name)
    for n in range(rounds):
        signals = {"pdq": f"{writer:032x}{n:032x}"}
        kept = catalog.contents.add("ALL", signals)
        gone = catalog.contents.add("ALL", {**signals, "video_md5": f"{n:032x}"})
        catalog.contents.add(name, {**signals, "video_md5": f"{n:032x}"})
        catalog.contents.update("ALL", kept.id, note=f"{writer}/{n}", disable_until_ts=n % 2)
        assert catalog.contents.delete("ALL", gone.id) == 1
        catalog.contents.add("ALL", signals)
        name = catalog.banks.update(name, f"OWN_{writer}_{n}", 1 / (n + 1)).name
    catalog.banks.create(f"GONE_{writer}")
    catalog.contents.add(f"GONE_{writer}", {"pdq": "f0" * 32})
    catalog.banks.delete(f"GONE_{writer}")


def write_in_threads(url: str, writers: range, rounds: int) -> None:
    """`write` once for each of `writers`, all at once."""
    catalog = Catalog(url)
    with ThreadPoolExecutor(len(writers)) as pool:
        for done in [pool.submit(write, catalog, writer, rounds) for writer in writers]:
            done.result()
    catalog.close()


CHANGES: dict[str, Callable[[Catalog], object]] = {
    "add": lambda catalog: catalog.contents.add("A", {"pdq": "f0" * 32, "video_md5": "0a" * 16}),
    "remove": lambda catalog: catalog.contents.delete("A", 1),
    "rename": lambda catalog: catalog.banks.update("A", "B", 0.5),
    "drop": lambda catalog: catalog.banks.delete("A"),
}


def write_until(url: str, change: str, statement: int, pipe: Connection) -> None:
    """Make the change, but stop for ever after its `statement`-th statement; say which it was."""
    catalog = Catalog(url)
    seen = 0

    def stop(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            pipe.send("stopped")
            signal.pause()

    event.listen(catalog._database.engine, "after_cursor_execute", stop)
    with suppress(NotFound):
        CHANGES[change](catalog)
    catalog.close()
    pipe.send("done")
