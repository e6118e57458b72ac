"""Four threads of one process that bank and publish."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import s3fs  # noqa: F401  # where a process begins, rather than while it races

import core.catalog
import core.index.publishing.publish  # noqa: F401
from core.services import Services
from core.settings import Settings
from tests.deployment import BANK, random_signal


def race(path: Path, seed: int) -> None:
    """Bank and publish under the settings in the file."""
    settings = Settings.model_validate_json(path.read_text())

    def publish(thread: int) -> None:
        services = Services(settings)  # each thread is a publisher of its own
        rng = random.Random(f"{seed} {thread}")
        for _ in range(5):
            services.catalog.contents.add(BANK, {"pdq": random_signal(rng)}, None, None)
            services.publisher.publish("pdq")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, range(4)))
