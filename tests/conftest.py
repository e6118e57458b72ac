"""Real servers, started once for all tests of one process that ask for them."""

from collections.abc import Iterator

import pytest

from local_runtime.store.s3_server import S3Server, find_minio, start_minio, start_seaweedfs
from tests.postgres import Postgres, running_postgres
from tests.servers import start_moto


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """SeaweedFS from its wheel."""
    server = start_seaweedfs(tmp_path_factory.mktemp("seaweedfs"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """MinIO, where its binary is."""
    binary = find_minio()
    if binary is None:
        pytest.skip("no MinIO binary: `make minio` builds it where Go is installed")
    server = start_minio(binary, tmp_path_factory.mktemp("minio"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """moto's server: a third, independent reading of the S3 protocol."""
    server = start_moto(tmp_path_factory.mktemp("moto"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL from its wheel; `new_database` gives each test its own."""
    with running_postgres() as server:
        yield server
