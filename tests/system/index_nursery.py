"""Forks processes that work on one index until they are killed: `… index_nursery SETTINGS.json`.

For each line on its standard input, `writer SEED` or `reader SEED`, it forks one and prints its
process id. Whatever was imported is there at once, so a kill can come at any moment of the work.
A reader that gets a wrong answer says so in a file named `wrong`, and ends.
"""

import os
import random
import signal
import sys
from pathlib import Path

import core.catalog
import core.index.publishing.publish
import core.index.reading.read  # noqa: F401  # all three before the forks: they take a second
from core.errors import HmaError, NotFound
from core.services import Services
from core.settings import Settings
from tests.deployment import BANK, random_signal

PERMANENT = "0" * 64
"""The signal of content that is never removed: a reader that answers finds it."""


def write(services: Services, seed: int) -> None:
    """Add, change and remove content, publish, merge and collect, without end."""
    rng = random.Random(seed)
    mine: list[int] = []
    while True:
        if rng.random() < 0.7 or not mine:
            added = services.catalog.contents.add(BANK, {"pdq": random_signal(rng)}, None, None)
            mine.append(added.id)
        else:
            services.catalog.contents.delete(BANK, mine.pop(rng.randrange(len(mine))))
        if rng.random() < 0.4:
            services.publisher.publish_all()
        else:
            services.publisher.publish("pdq")


def read(services: Services, folder: Path) -> None:
    """Look the permanent content up without end. Not to know is no wrong answer."""
    number = 0
    while True:
        try:
            index = services.index.get("pdq")
        except HmaError:
            continue
        (found,) = index.search([PERMANENT])
        if len(found) != 1 or index.snapshot.number < number:
            (folder / "wrong").write_text(f"{found} in {index.snapshot.number} after {number}")
            return
        number = index.snapshot.number


def main(path: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        what, seed = line.split()
        child = os.fork()
        if child == 0:
            services = Services(Settings.model_validate_json(path.read_text()))
            while True:
                try:
                    if what == "reader":
                        read(services, path.parent)
                        os._exit(1)
                    write(services, int(seed))
                except (HmaError, NotFound):
                    continue  # the store or the catalog was busy: go on
        print(child, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
