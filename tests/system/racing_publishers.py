"""Publishers that race: `… racing_publishers SETTINGS.json PROCESSES`, with four threads each.

The processes are forked from one that has imported everything, so that they meet at once rather
than as each comes to the end of its imports. Ends with 0 if all of them did.
"""

import os
import random
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import s3fs  # noqa: F401

import core.catalog
import core.index.publish  # noqa: F401  # all three before the forks: they take seconds
from core.services import Services
from core.settings import Settings
from tests.deployment import BANK, random_signal


def race(settings: Settings, process: int) -> None:
    """Four threads that bank and publish."""

    def publish(thread: int) -> None:
        services = Services(settings)  # each thread is a publisher of its own
        rng = random.Random(f"{process} {thread}")
        for _ in range(5):
            services.catalog.add_content(BANK, {"pdq": random_signal(rng)}, None, None)
            services.publisher.publish("pdq")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, range(4)))


def main(path: Path, processes: int) -> int:
    settings = Settings.model_validate_json(path.read_text())
    children = []
    for process in range(processes):
        child = os.fork()
        if child == 0:
            try:
                race(settings, process)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
