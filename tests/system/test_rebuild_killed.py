"""A rebuild that is killed leaves no half of an index, no worker, and its work to the next one."""

import json
import random
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from core.index.objects.layout import Layout
from core.index.objects.snapshot import newest_snapshot
from tests.deployment import Deployment, random_signal, settings_for
from tests.published import catalog_entries, published_entries
from tests.servers import wait_until

CONTENTS = 120
IDS = 10


def start(folder: Path) -> subprocess.Popen[str]:
    module = "tests.system.rebuild_process"
    command = [sys.executable, "-m", module, str(folder / "settings.json"), str(IDS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def children(pid: int) -> list[int]:
    """Of this process, as Linux tells."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in tasks for child in file.read_text().split()]


def none_lives(pids: list[int]) -> bool:
    """Whether each of them is gone, or dead and not yet waited for."""
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                return False
    return True


def test_a_rebuild_is_killed_and_repeated_over_a_new_store_and_an_old_index(
    tmp_path: Path,
) -> None:
    """SIGKILL after some tasks; the second run does only what is left, and is right."""
    settings = settings_for(tmp_path, tail_entries=5)
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    deployment = Deployment(settings)
    rng = random.Random(1)
    ids = [deployment.add(random_signal(rng)) for _ in range(CONTENTS)]
    for over_an_old_index in (False, True):
        process = start(tmp_path)
        assert process.stdout
        for _ in range(2):
            assert process.stdout.readline() == "done\n"
        workers = children(process.pid)
        assert len(workers) >= 2
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        wait_until(partial(none_lives, workers), "the workers end")
        newest = newest_snapshot(deployment.store, Layout("pdq"))
        assert bool(newest) is over_an_old_index
        deployment.catalog.contents.delete("KNOWN", ids.pop())
        deployment.catalog.contents.update("KNOWN", ids[1], note=str(rng.random()))
        if newest:
            deployment.publisher.publish_all()
            assert published_entries(deployment) == catalog_entries(deployment)
        process = start(tmp_path)
        out, _ = process.communicate()
        assert process.returncode == 0
        rebuilt = json.loads(out.splitlines()[-1])
        assert rebuilt["kept"] >= 2
        assert out.count("done") == rebuilt["tasks"] - rebuilt["kept"]
        assert published_entries(deployment) == catalog_entries(deployment)
        assert not deployment.catalog.marks.pending("pdq", 1)
