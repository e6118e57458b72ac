"""A rebuild in a process of its own, on two workers, that says when each task is done.

`… rebuild_process SETTINGS.json IDS` prints a line with its process ids first, then one a task,
and what came of it at last. `IDS` are as many content ids as a task reads.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import core.index.publishing.build
from core.index.publishing.build import Task, TaskResult
from core.jobs.worker import build_anywhere
from core.services import Services
from core.settings import Settings
from core.tasks import on_processes


def main(path: Path, ids: int) -> None:
    core.index.publishing.build.RANGE = ids  # the plan is made here, workers are told
    settings = Settings.model_validate_json(path.read_text())

    def run(tasks: Sequence[Task]) -> Iterator[tuple[Task, TaskResult]]:
        for done in on_processes(2)(partial(build_anywhere, settings), tasks):
            yield done
            print("done", flush=True)

    rebuilt = Services(settings).publisher.rebuild("pdq", run)
    print(json.dumps(asdict(rebuilt)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
