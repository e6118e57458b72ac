"""What the catalog has acknowledged is never lost, whatever process dies whenever."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.index.objects.layout import Layout
from core.index.objects.snapshot import newest_snapshot
from local_runtime.store.s3_server import S3Server
from tests.deployment import Deployment, random_signal, settings_for
from tests.forked import ends_well, start
from tests.published import catalog_entries, published_entries
from tests.system.racing_publishers import race


@pytest.mark.parametrize("tail_entries", [1, 100], ids=["segment", "tail"])
def test_a_publisher_killed_at_every_step_loses_nothing(tmp_path: Path, tail_entries: int) -> None:
    """SIGKILL before and after each store operation and commit, until one run needs no more."""
    settings = settings_for(tmp_path, tail_entries=tail_entries)
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    deployment = Deployment(settings)
    rng = random.Random(1)
    killed = 0
    publishers = subprocess.Popen(
        [sys.executable, "-m", "tests.system.publisher_process", tmp_path / "settings.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert publishers.stdin
    assert publishers.stdout
    for step in range(1, 200):
        gone = deployment.add(random_signal(rng))
        kept = deployment.add(random_signal(rng))
        if step % 2:
            deployment.publisher.publish("pdq")
        deployment.catalog.contents.delete("KNOWN", gone)
        deployment.catalog.contents.update("KNOWN", kept, note=f"step {step}")
        publishers.stdin.write(f"{step}\n")
        publishers.stdin.flush()
        status = int(publishers.stdout.readline())
        if newest_snapshot(deployment.store, Layout("pdq")):
            published_entries(deployment)  # whatever is newest is whole and can be read
        deployment.publisher.publish("pdq")
        assert published_entries(deployment) == catalog_entries(deployment), step
        assert not deployment.catalog.marks.pending("pdq", 1)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        killed += 1
    publishers.communicate()
    assert status == 0, "the publisher never got to its end"
    assert killed >= 10


def test_32_publishers_in_8_processes_race_to_a_snapshot_equal_to_the_catalog(
    tmp_path: Path, seaweedfs: S3Server
) -> None:
    """Each adds and publishes over and over on a real S3 server; every number is used once."""
    settings = settings_for(
        tmp_path,
        tail_entries=20,
        store_url=f"s3://{seaweedfs.bucket}/race-of-publishers",
        store_endpoint=seaweedfs.endpoint,
        store_key=seaweedfs.key,
        store_secret=seaweedfs.secret,
    )
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    deployment = Deployment(settings)
    deployment.add("0" * 64)
    racers = [start(race, tmp_path / "settings.json", seed) for seed in range(8)]
    assert ends_well(racers)
    assert len(catalog_entries(deployment)) == 1 + 8 * 4 * 5
    assert published_entries(deployment) == catalog_entries(deployment)
    assert not deployment.catalog.marks.pending("pdq", 1)
    numbers = [int(info.key[-25:-5]) for info in deployment.store.list("index/pdq/snapshots/")]
    assert numbers == list(range(1, deployment.newest().number + 1))
