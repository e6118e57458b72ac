"""Which object store the local runtime works on: the one it is told, or one that it starts."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from core.errors import Misconfigured, Unavailable
from core.settings import Settings
from local_runtime.store.s3_server import (
    BUCKET,
    find_minio,
    find_weed,
    start_minio,
    start_seaweedfs,
)

STARTED = ("minio", "seaweedfs", "files")
"""What can be started here, the first that is installed unless another is named."""


@dataclass(frozen=True)
class ObjectStoreServer:
    """The object store that is in use.

    Attributes:
        described: what it is and where, for people.
        identity: differs between stores that hold different objects.
        settings: what makes it the store of a deployment.
        console: where its own user interface is, if it has one.
    """

    described: str
    identity: str
    settings: dict[str, Any] = field(repr=False)
    console: str | None = None


def object_store(
    settings: Settings, data: Path, wanted: str | None = None
) -> AbstractContextManager[ObjectStoreServer]:
    """The store to work on, there as long as the context is entered.

    Args:
        settings: whose store is used if they name one.
        data: the folder for what is started here.
        wanted: goes before that: a URL, the endpoint of an S3 server, or one of `STARTED`.

    Raises:
        Misconfigured: what is wanted is not installed.
        Unavailable: a server does not start or answer.
    """
    if wanted in STARTED:
        return _start_server(wanted, data)
    url, endpoint = settings.store_url, settings.store_endpoint
    if wanted is not None:
        url, endpoint = (None, wanted) if wanted.startswith("http") else (wanted, endpoint)
    if url is not None:
        where = f"{url} at {endpoint}" if endpoint else url
        return nullcontext(ObjectStoreServer(where, where, {"store_url": url}))
    if endpoint is not None:
        return nullcontext(_use_bucket(settings, endpoint))
    return _start_server("minio" if find_minio() else "seaweedfs" if find_weed() else "files", data)


@contextmanager
def _start_server(name: str, data: Path) -> Iterator[ObjectStoreServer]:
    folder = data / name
    if name == "files":
        folder.mkdir(exist_ok=True)
        yield ObjectStoreServer(f"files in {folder}", name, {"store_url": folder.as_uri()})
        return
    try:
        if name == "seaweedfs":
            server = start_seaweedfs(folder)
        elif binary := find_minio():
            server = start_minio(binary, folder)
        else:
            raise Misconfigured("MinIO is not installed: build it with `make minio`")
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"the object store does not start: {error}. Without one: --store files"
        ) from error
    try:
        yield ObjectStoreServer(
            described=f"{server.name} at {server.endpoint}",
            identity=name,
            settings={
                "store_url": f"s3://{server.bucket}",
                "store_endpoint": server.endpoint,
                "store_key": server.key,
                "store_secret": server.secret,
            },
            console=server.console and f"{server.console} (log in with {folder}/server.json)",
        )
    finally:
        server.stop()


def _use_bucket(settings: Settings, endpoint: str) -> ObjectStoreServer:
    """The bucket `hma` of a server that runs already, made if need be."""
    # Here, for they take 0.2 s of which a runtime on files has nothing.
    from minio import Minio  # noqa: PLC0415
    from minio.credentials.providers import EnvAWSProvider  # noqa: PLC0415
    from minio.error import MinioException  # noqa: PLC0415

    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Misconfigured(f"{endpoint} is no endpoint: it must be http://host:port")
    with PoolManager(retries=False, timeout=Timeout(5.0)) as http:
        client = Minio(
            parts.netloc,
            settings.store_key,
            settings.store_secret,
            secure=parts.scheme == "https",
            credentials=None if settings.store_key else EnvAWSProvider(),
            http_client=http,
        )
        try:
            if not client.bucket_exists(BUCKET):
                client.make_bucket(BUCKET)
        except (MinioException, HTTPError, ValueError) as error:
            raise Unavailable(
                f"{endpoint} does not give us the bucket {BUCKET}: {error}. Does it run, and are "
                "HMA_STORE_KEY and HMA_STORE_SECRET what it expects?"
            ) from error
    where = f"s3://{BUCKET} at {endpoint}"
    return ObjectStoreServer(
        where, where, {"store_url": f"s3://{BUCKET}", "store_endpoint": endpoint}
    )
