"""`hma publish --rebuild` without a server: on the catalog and the store that the settings name."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from core.errors import BadInput
from core.jobs.worker import build_anywhere
from core.services import Services
from core.settings import Settings
from core.tasks import Runner, on_dask, on_processes
from local_runtime.commands.progress_bars import progress_bars


def choose_runner(workers: int | None, dask: str | None) -> Runner | None:
    """How the tasks are run; None is in this process.

    Raises:
        BadInput: both are asked for.
    """
    if workers is not None and dask is not None:
        raise BadInput("give --workers or --dask, not both: a cluster has its own workers")
    if dask is not None:
        return on_dask(dask)
    return on_processes(workers) if workers is not None and workers > 1 else None


def rebuild(runner: Runner | None) -> Iterator[dict[str, Any]]:
    """Make every index anew; for each its `RebuildSummary`, and the seconds it took."""
    settings = Settings.from_env()
    services = Services(settings)
    run = partial(runner, partial(build_anywhere, settings)) if runner else None
    with progress_bars() as show:
        for name in services.signal_types.enabled():
            began = time.perf_counter()
            rebuilt = services.publisher.rebuild(name, run, partial(show, f"rebuilding {name}"))
            seconds = round(time.perf_counter() - began, 2)
            yield {"signal_type": name, **asdict(rebuilt), "seconds": seconds}
