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
            assert catalog.list_banks() == []
            catalog.close()
    except BaseException:
        together.abort()  # or the others would wait for us for ever
        raise


def write(catalog: Catalog, writer: int, rounds: int) -> None:
    """Add, change and remove content of a bank that all share, and rename one's own bank.

    Leaves 2 contents a round in the shared bank `ALL`, and 1 in the writer's.
    """
    name = f"OWN_{writer}"
    catalog.create_bank(name)
    for n in range(rounds):
        signals = {"pdq": f"{writer:032x}{n:032x}"}
        kept = catalog.add_content("ALL", signals)
        gone = catalog.add_content("ALL", {**signals, "video_md5": f"{n:032x}"})
        catalog.add_content(name, {**signals, "video_md5": f"{n:032x}"})
        catalog.update_content("ALL", kept.id, note=f"{writer}/{n}", disable_until_ts=n % 2)
        assert catalog.delete_content("ALL", gone.id) == 1
        catalog.add_content("ALL", signals)
        name = catalog.update_bank(name, f"OWN_{writer}_{n}", 1 / (n + 1)).name
    catalog.create_bank(f"GONE_{writer}")
    catalog.add_content(f"GONE_{writer}", {"pdq": "f0" * 32})
    catalog.delete_bank(f"GONE_{writer}")


def write_in_threads(url: str, writers: range, rounds: int) -> None:
    """`write` once for each of `writers`, all at once."""
    catalog = Catalog(url)
    with ThreadPoolExecutor(len(writers)) as pool:
        for done in [pool.submit(write, catalog, writer, rounds) for writer in writers]:
            done.result()
    catalog.close()


CHANGES: dict[str, Callable[[Catalog], object]] = {
    "add": lambda catalog: catalog.add_content("A", {"pdq": "f0" * 32, "video_md5": "0a" * 16}),
    "remove": lambda catalog: catalog.delete_content("A", 1),
    "rename": lambda catalog: catalog.update_bank("A", "B", 0.5),
    "drop": lambda catalog: catalog.delete_bank("A"),
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
