"""Starts a real S3 server beside us: MinIO from its binary, or SeaweedFS from its wheel.

Both listen on loopback alone, ask for random credentials, report to nobody and end with us.
Everything they keep is under one folder, ports and credentials too, so that whoever was told
the address still finds the same objects there after a restart.
"""

import fcntl
import io
import itertools
import json
import os
import random
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from local_runtime.store.child import GRACE_SECONDS, Child

HOST = "127.0.0.1"
BUCKET = "hma"
GRPC = 10_000
"""How far above each port of SeaweedFS that of its gRPC is."""

START_SECONDS = 60.0
"""A server that has not answered by then is given up; both need two seconds on a laptop."""


@dataclass(frozen=True)
class S3Server:
    """A running S3-compatible server and the way in.

    Attributes:
        name: of the product.
        endpoint: http://host:port.
        bucket: that exists.
        key: the access key.
        secret: the secret key.
        console: http://host:port of its own user interface, or None.
        child: the server's process.
        ports: that it listens on.
    """

    name: str
    endpoint: str
    bucket: str
    key: str
    secret: str = field(repr=False)
    console: str | None
    child: Child
    ports: Sequence[int]

    def environ(self) -> dict[str, str]:
        """The variables that make this server the object store of a process."""
        return {
            "HMA_STORE_URL": f"s3://{self.bucket}",
            "HMA_STORE_ENDPOINT": self.endpoint,
            "HMA_STORE_KEY": self.key,
            "HMA_STORE_SECRET": self.secret,
        }

    def stop(self) -> None:
        """End the server. What it has acknowledged stays in its folder, and nothing elsewhere."""
        self.child.stop()
        for port in self.ports:
            for number in (port, port + GRPC):
                for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - its own
                    left.unlink(missing_ok=True)


def find_minio() -> Path | None:
    """The MinIO server binary: on the PATH, or where `make minio` puts it."""
    built = Path(__file__).parents[2] / ".tools"
    binary = shutil.which("minio") or shutil.which("minio", path=built)
    return Path(binary) if binary else None


def find_weed() -> Path | None:
    """The SeaweedFS binary: beside this Python, where its wheel puts it, or on the PATH."""
    binary = shutil.which("weed", path=Path(sys.executable).parent) or shutil.which("weed")
    return Path(binary) if binary else None


def start_minio(binary: Path, data: Path) -> S3Server:
    """MinIO, its console too, on the objects in `data`; returns once it stores objects.

    Raises:
        RuntimeError: it ended or did not answer in time, or one runs there; the message says more.
    """
    with _sole_use(data) as lock, _sole_start():
        identity = _Identity.load_or_make(data, port_count=2)
        api, console = (f"{HOST}:{port}" for port in identity.ports)
        command = [
            str(binary),
            "server",
            "--quiet",
            f"--certs-dir={data / 'certs'}",
            f"--address={api}",
            f"--console-address={console}",
            str(data / "objects"),
        ]
        environ = {
            "MINIO_ROOT_USER": identity.key,
            "MINIO_ROOT_PASSWORD": identity.secret,
            "MINIO_CALLHOME_ENABLE": "off",
            "MINIO_UPDATE": "off",
        }
        return _serve("MinIO", data, lock, identity, command, environ, f"http://{console}")


def start_seaweedfs(data: Path) -> S3Server:
    """SeaweedFS on the objects in `data`; returns once it stores objects.

    Raises:
        RuntimeError: it ended or did not answer in time, or one runs there; the message says more.
    """
    binary = find_weed()
    if binary is None:
        raise RuntimeError("weed is not installed: pip install 'hma-functions[local]' (Linux only)")
    parts = ("s3", "master", "volume", "filer", "admin")
    with _sole_use(data) as lock, _sole_start():
        identity = _Identity.load_or_make(data, port_count=len(parts))
        command = [
            str(binary),
            "-logtostderr=true",  # which is in the folder, not in /tmp
            "mini",
            f"-dir={data / 'objects'}",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            *(f"-{part}.port={port}" for part, port in zip(parts, identity.ports, strict=True)),
            "-volume.preStopSeconds=0",  # it has nobody to tell
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
        ]
        environ = {"AWS_ACCESS_KEY_ID": identity.key, "AWS_SECRET_ACCESS_KEY": identity.secret}
        return _serve("SeaweedFS", data, lock, identity, command, environ, console=None)


@contextmanager
def _sole_use(data: Path) -> Iterator[int]:
    """A lock on the folder, to be kept by the server: two at once would ruin what is in it.

    Waits for one that is just ending, as after we were killed and started again.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + GRACE_SECONDS + 3.0
    with (data / "server.lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"another server runs on {data}") from error
                time.sleep(0.05)
            else:
                break
        yield file.fileno()


@contextmanager
def _sole_start() -> Iterator[None]:
    """Waits for its turn: of two that start at once, both could find the same ports free."""
    with Path(__file__).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class _Identity:
    """What clients know a server by; the first port is the one for S3."""

    key: str
    secret: str
    ports: list[int]

    @classmethod
    def load_or_make(cls, data: Path, port_count: int) -> "_Identity":
        """As in `data`, readable by us alone; made or, where a port is taken by now, changed."""
        path = data / "server.json"
        kept = cls(**json.loads(path.read_text())) if path.exists() else None
        if kept and len(kept.ports) == port_count and all(map(_free, kept.ports)):
            return kept
        identity = cls(
            key=kept.key if kept else secrets.token_hex(10),
            secret=kept.secret if kept else secrets.token_hex(20),
            ports=free_ports(port_count),
        )
        draft = path.with_suffix(".new")
        with draft.open("w") as file:
            draft.chmod(0o600)
            json.dump(asdict(identity), file)
        draft.replace(path)
        return identity


def _free(port: int) -> bool:
    """Whether nobody listens here, or where the gRPC of it would be."""
    try:
        for number in (port, port + GRPC):
            socket.create_server((HOST, number)).close()
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Different free ports.

    They lie below those the kernel gives to outgoing connections: while a server is away, one of
    these could take its port, or even connect to itself.
    """
    free = (port for port in random.sample(range(20_000, 22_000), 2_000) if _free(port))
    return list(itertools.islice(free, count))


def _serve(
    name: str,
    data: Path,
    lock: int,
    identity: _Identity,
    command: Sequence[str],
    environ: Mapping[str, str],
    console: str | None,
) -> S3Server:
    log, address = data / "server.log", f"{HOST}:{identity.ports[0]}"
    (data / "objects").mkdir(exist_ok=True)
    child = Child.start(command, log=log, environ={**os.environ, **environ}, keep=[lock])
    try:
        _await(address, identity, child)
    except RuntimeError as error:
        child.stop()
        raise RuntimeError(f"{name} {error}, see {log}") from error
    return S3Server(
        name=name,
        endpoint=f"http://{address}",
        bucket=BUCKET,
        key=identity.key,
        secret=identity.secret,
        console=console,
        child=child,
        ports=identity.ports,
    )


def _await(address: str, identity: _Identity, child: Child) -> None:
    """Wait until the server has the bucket and stores an object in it."""
    # Here, for they take 0.2 s of which a runtime on files has nothing.
    from minio import Minio  # noqa: PLC0415
    from minio.error import MinioException  # noqa: PLC0415

    deadline = time.monotonic() + START_SECONDS
    with PoolManager(retries=False, timeout=Timeout(5.0)) as http:
        client = Minio(address, identity.key, identity.secret, secure=False, http_client=http)
        while child.running():
            try:
                if not client.bucket_exists(BUCKET):
                    client.make_bucket(BUCKET)
                client.put_object(BUCKET, "probe/start", io.BytesIO(b"1"), 1)
                client.remove_object(BUCKET, "probe/start")
            except (MinioException, HTTPError) as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"does not answer: {error}") from error
                time.sleep(0.05)
            else:
                return
    raise RuntimeError("ended as soon as it was started")
