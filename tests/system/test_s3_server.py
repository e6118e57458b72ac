"""The S3 servers that we start: private, found again after a restart, honest when they fail."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from local_runtime.store.s3_server import S3Server, find_minio, start_minio, start_seaweedfs
from tests.servers import store_on


@pytest.fixture(scope="module", params=["seaweedfs", "minio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of server in turn."""
    return str(request.param)


def starting(kind: str, folder: Path) -> Callable[[], S3Server]:
    """Starts the server, each time on the same folder."""
    if kind == "seaweedfs":
        return lambda: start_seaweedfs(folder)
    binary = find_minio()
    if binary is None:
        pytest.skip("no MinIO binary: `make minio` builds it where Go is installed")
    return lambda: start_minio(binary, folder)


@pytest.fixture
def start(kind: str, tmp_path: Path) -> Callable[[], S3Server]:
    return starting(kind, tmp_path / "server")


@pytest.fixture(scope="module")
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `running`."""
    return tmp_path_factory.mktemp(kind) / "server"


@pytest.fixture(scope="module")
def running(kind: str, folder: Path) -> Iterator[S3Server]:
    """One server for the tests that only look at it."""
    server = starting(kind, folder)()
    yield server
    server.stop()


def listening_addresses(pid: int) -> set[str]:
    """The addresses that a process accepts connections on, as Linux writes them."""
    files = Path(f"/proc/{pid}/fd").iterdir()
    sockets = {str(file.readlink()) for file in files if file.is_symlink()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {
        row[1].partition(":")[0]
        for row in rows
        if row[3] == "0A" and f"socket:[{row[9]}]" in sockets
    }


def test_a_restart_changes_nothing(start: Callable[[], S3Server]) -> None:
    """Address, credentials and objects are the same after a restart."""
    before = start()
    store_on(before, "kept").put("key", b"kept")
    before.stop()
    after = start()
    try:
        assert after.environ() == before.environ()
        assert store_on(after, "kept").get("key") == b"kept"
    finally:
        after.stop()


STARTER = """
import sys
from pathlib import Path
from local_runtime.store.s3_server import find_minio, start_minio, start_seaweedfs
data = Path(sys.argv[2])
server = start_seaweedfs(data) if sys.argv[1] == "seaweedfs" else start_minio(find_minio(), data)
print(server.endpoint, flush=True)
sys.stdin.read()
"""


def test_killed_and_started_at_once(
    kind: str, start: Callable[[], S3Server], tmp_path: Path
) -> None:
    """Started again while the server of our killed predecessor still ends, we wait for it."""
    command = [sys.executable, "-c", STARTER, kind, str(tmp_path / "server")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        endpoint = killed.stdout.readline().decode().strip()
        killed.kill()
    server = start()
    try:
        assert server.endpoint == endpoint
        store_on(server).put("key", b"x")
    finally:
        server.stop()


def test_nothing_is_left_elsewhere(start: Callable[[], S3Server]) -> None:
    """Sockets of its ports, and logs of its own, in the folder that all programs share."""
    server = start()
    pid = server.child.pid
    server.stop()
    names = [path.name for path in Path("/tmp").iterdir()]
    numbers = [str(port + above) for port in server.ports for above in (0, 10_000)]
    assert [name for name in names if name.endswith(tuple(f"-{n}.sock" for n in numbers))] == []
    assert [name for name in names if name.endswith(f".{pid}")] == []


def test_two_on_one_folder(
    kind: str, running: S3Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second server on a folder in use is refused, and the first one is unharmed."""
    monkeypatch.setattr(
        "local_runtime.store.s3_server.GRACE_SECONDS", 0.0
    )  # nobody is ending there
    with pytest.raises(RuntimeError, match=f"another server runs on {folder}"):
        starting(kind, folder)()
    store_on(running).put("key", b"x")


def test_a_taken_port_is_changed(start: Callable[[], S3Server]) -> None:
    """When somebody else has taken a port meanwhile, the objects are found at another one."""
    before = start()
    store_on(before, "kept").put("key", b"kept")
    before.stop()
    host, _, port = before.endpoint.removeprefix("http://").partition(":")
    with socket.create_server((host, int(port))):
        after = start()
    try:
        assert after.endpoint != before.endpoint
        assert store_on(after, "kept").get("key") == b"kept"
    finally:
        after.stop()


def test_only_for_us(running: S3Server, folder: Path) -> None:
    """Whoever has no credentials is refused, and only this user can read them."""
    store_on(running, "private").put("key", b"x")
    url = f"{running.endpoint}/{running.bucket}/private/key"
    assert urllib3.request("GET", url).status == 403
    assert urllib3.request("PUT", url, body=b"y").status == 403
    assert stat.S_IMODE((folder / "server.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert running.secret not in repr(running)
    assert running.secret not in (folder / "server.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's list of sockets")
def test_only_on_loopback(running: S3Server) -> None:
    """No part of the server listens to other machines."""
    addresses = listening_addresses(running.child.pid)
    loopback = {"0100007F", "00000000000000000000000001000000"}
    assert addresses
    assert addresses <= loopback


def test_a_server_that_does_not_start(tmp_path: Path) -> None:
    """A server that ends at once is an error that names its log, and leaves no process."""
    with pytest.raises(RuntimeError, match=r"MinIO ended as soon as it was started, see .*\.log"):
        start_minio(Path(str(shutil.which("false"))), tmp_path)


def test_minio_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A MinIO that the user has installed goes before the one that we built."""
    binary = tmp_path / "minio"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_minio() == binary
