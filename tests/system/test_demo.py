"""The first look at the project keeps its promise, and says so when it does not."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from local_runtime.commands.server_client import ServerClient
from local_runtime.demo.photographs import BANK, show
from local_runtime.demo.photos import ALTERATIONS, BANKED, photo
from local_runtime.store.s3_server import find_minio
from tests.servers import wait_until
from tests.system.runtime import hma, processes_of, running


@pytest.mark.parametrize("store", ["minio", "seaweedfs"])
def test_demo_matches_every_copy(store: str) -> None:
    """`hma demo` prints the distance of each altered copy on a real S3 server, and ends well."""
    if store == "minio" and find_minio() is None:
        pytest.skip("no MinIO binary: `make minio` builds it where Go is installed")
    ran = hma("demo", "--store", store)
    assert ran.code == 0, ran.err
    assert {"minio": "MinIO at", "seaweedfs": "SeaweedFS at"}[store] in ran.out
    for name in BANKED:
        (row,) = (line for line in ran.out.splitlines() if f"│ {name} " in line)
        distances = [int(cell) for cell in re.findall(r"│ +(\d+) ", row)]
        assert len(distances) == len(ALTERATIONS), row
        assert max(distances) <= 31
    assert "same scene: no match" in ran.out


def test_demo_fails_when_it_cannot_match() -> None:
    """Without PDQ no photograph can be banked: the code says that the demonstration failed."""
    ran = hma("demo", "--store", "files", environ={"HMA_SIGNAL_TYPES": "video_md5"})
    assert ran.code == 1
    assert ran.err.startswith("hma: ")
    assert "Traceback" not in ran.err


def test_missing_match_is_shown_and_told(tmp_path: Path) -> None:
    """A photograph that is not banked after all makes the demonstration fail."""
    console = Console(record=True, width=200)
    with running(tmp_path / "data", store="files") as served, ServerClient(served.url) as client:
        client.await_ready()
        client.create_bank(BANK)
        for name in BANKED[1:]:
            client.add(BANK, photo(name), "photo", note=name)
        client.publish()
        assert not show(client, tmp_path / "copies", console)
    assert console.export_text().count("no match") == len(ALTERATIONS) + 1


def test_printed_commands_work_when_pasted(tmp_path: Path) -> None:
    """Each curl line of `hma serve --demo` succeeds in a shell, also if the folder has a space."""
    data = tmp_path / "my data"
    with running(data, "--demo", store="files") as served:
        with ServerClient(served.url) as client:
            client.await_ready()
        log = served.log
        _await_text(log, "until Ctrl-C")
        lines = [line.strip() for line in log.read_text().splitlines() if "curl " in line]
        assert len(lines) >= 4
        for line in lines:
            ran = subprocess.run(
                [*shlex.split(line), "--fail", "--silent"], capture_output=True, check=True
            )
            assert ran.stdout
        assert "PHOTOGRAPHS" in ran.stdout.decode()
    assert not processes_of(data)


def test_second_start_banks_nothing_again(tmp_path: Path) -> None:
    """`hma serve --demo` on a folder with photographs matches those, and makes no second copy."""
    data = tmp_path / "data"
    for _ in range(2):
        with running(data, "--demo", store="files") as served, ServerClient(served.url) as client:
            _await_text(served.log, "until Ctrl-C")
            assert client.index_status()["pdq"]["size"] == len(BANKED)
            served.log.unlink()


def _await_text(log: Path, text: str) -> None:
    wait_until(lambda: text in log.read_text(), f"the log says {text!r}", seconds=60)
