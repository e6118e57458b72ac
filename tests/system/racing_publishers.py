"""Four threads of one process that bank and publish: `… racing_publishers SETTINGS.json SEED`."""

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.index.publish import Publisher
from core.services import Services
from core.settings import Settings
from tests.deployment import BANK, random_signal


def main(path: Path, seed: int) -> None:
    settings = Settings.model_validate_json(path.read_text())

    def race(thread: int) -> None:
        services = Services(settings)  # each thread is a publisher of its own
        publisher = Publisher(services.catalog, services.store, services.signal_types, settings)
        rng = random.Random(f"{seed} {thread}")
        for _ in range(5):
            services.catalog.add_content(BANK, {"pdq": random_signal(rng)}, None, None)
            publisher.publish("pdq")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(race, range(4)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
