"""The one-process runtime, as a process of its own on real object stores."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.catalog import Catalog
from functions.table import FUNCTIONS
from local_runtime.demo.photos import alter_photo, photo
from local_runtime.serve import SCHEDULED, _listen
from local_runtime.store.s3_server import S3Server, find_minio
from tests.served import Served
from tests.servers import boto3_client, wait_until
from tests.system.runtime import hma, processes_of, running

BANK = "HERE"
PHOTO = photo("coffee.png")
COPY = alter_photo("coffee.png", "all three")


@pytest.fixture(params=["minio", "seaweedfs", "files"])
def store(request: pytest.FixtureRequest) -> str:
    """Each object store that can be started beside the runtime."""
    name = str(request.param)
    if name == "minio" and find_minio() is None:
        pytest.skip("no MinIO binary: `make minio` builds it where Go is installed")
    return name


def bank_photo(served: Served, path: Path = PHOTO, bank: str = BANK) -> int:
    """Bank a photograph; the id of its content."""
    served.post("/c/banks", json={"name": bank})
    with path.open("rb") as body:
        answer = served.post(f"/c/bank/{bank}/content", files={"photo": body})
    assert answer.status_code == 200, answer.text
    content_id: int = answer.json()["id"]
    return content_id


def matches(served: Served, body: bytes = COPY) -> Any:
    """What a lookup of `body` answers for PDQ, by bank; None while it answers nothing at all."""
    answer = served.post("/m/lookup", files={"photo": body})
    return answer.json()["pdq"] if answer.status_code == 200 else None


def found(served: Served, content_id: int, body: bytes = COPY) -> Callable[[], bool]:
    """Whether `body` is by now matched as this content of the bank."""
    return lambda: (
        [m["bank_content_id"] for m in (matches(served, body) or {}).get(BANK, [])] == [content_id]
    )


def ready(served: Served) -> bool:
    return served.get("/status").status_code == 200


def test_what_is_banked_survives_an_end_and_a_kill(store: str, tmp_path: Path) -> None:
    """On every store: a copy matches, also after a restart in order and after one by SIGKILL.

    Either way no process outlives the runtime.
    """
    data = tmp_path / "data"
    with running(data, store=store) as served:
        wait_until(lambda: ready(served), "an empty runtime is ready")
        assert matches(served) == {}
        content_id = bank_photo(served)
        wait_until(found(served, content_id), "the copy matches")
        assert processes_of(data)
    assert served.child.watcher.returncode == 0
    assert not processes_of(data)
    with running(data, store=store) as served:
        wait_until(found(served, content_id), "the copy matches after a restart")
        os.kill(served.child.pid, signal.SIGKILL)
        wait_until(lambda: not processes_of(data), "the object store ends with a killed runtime")
    with running(data, store=store) as served:
        wait_until(found(served, content_id), "the copy matches after a kill")
        assert served.get("/c/banks").json() == [{"matching_enabled_ratio": 1.0, "name": BANK}]


def test_interrupt_ends_it_in_order(tmp_path: Path) -> None:
    """Ctrl-C ends the runtime with code 0 and no traceback, and its object store with it."""
    data = tmp_path / "data"
    with running(data, store="seaweedfs") as served:
        wait_until(lambda: ready(served), "it is ready")
        os.kill(served.child.pid, signal.SIGINT)
        wait_until(lambda: not served.child.running(), "it ends")
    assert served.child.watcher.returncode == 0
    assert "Traceback" not in served.log.read_text()
    assert not processes_of(data)


def test_second_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """A second runtime on a folder says who has it and what to do, and leaves the first alone."""
    data = tmp_path / "data"
    with running(data, store="files") as served:
        wait_until(lambda: ready(served), "the first is ready")
        second = hma("serve", "--port", "0", "--data", data)
        assert second.code == 1
        assert f"in use by another hma serve (process {served.child.pid})" in second.err
        assert "--data DIR" in second.err
        assert ready(served)


def test_port_in_use_is_told_before_anything_is_started(tmp_path: Path) -> None:
    """A taken port is an error that says so, and no object store was started for it."""
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = hma("serve", "--port", str(port), "--data", data, "--store", "seaweedfs")
    assert refused.code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in refused.err
    assert "--port PORT" in refused.err
    assert [path.name for path in data.iterdir()] == ["lock"]


def test_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A file where the data folder should be is an error that says what to do."""
    (tmp_path / "file").touch()
    refused = hma("serve", "--port", "0", "--data", tmp_path / "file")
    assert refused.code == 1
    assert "cannot be used" in refused.err
    assert "--data DIR" in refused.err


def test_scheduler_publishes_what_was_left_behind(tmp_path: Path) -> None:
    """Content whose curator died between commit and publication matches all the same."""
    data = tmp_path / "data"
    with running(data, "--publish-every", "0.1", store="files") as served:
        hashed = served.post("/h/hash", files={"photo": PHOTO.read_bytes()}).json()
        catalog = Catalog(f"sqlite:///{data / 'catalog.db'}")
        catalog.banks.create(BANK)
        left_behind = catalog.contents.add(BANK, hashed)
        catalog.close()
        wait_until(found(served, left_behind.id), "the scheduler has published it")


def test_another_store_is_indexed_before_it_is_served(tmp_path: Path) -> None:
    """Back on a store used before, what was banked and removed elsewhere meanwhile is known."""
    data = tmp_path / "data"
    never = ("--publish-every", "3600")
    with running(data, *never, store="files") as served:
        removed = bank_photo(served, photo("rocket.jpg"))
        kept = bank_photo(served)
    with running(data, *never, store="seaweedfs") as served:
        assert found(served, kept)()
        assert served.delete(f"/c/bank/{BANK}/content/{removed}").json() == {"deleted": 1}
        added = bank_photo(served, photo("astronaut.png"))
    with running(data, *never, store="files") as served:
        assert found(served, kept)()
        assert found(served, added, alter_photo("astronaut.png", "half size"))()
        assert matches(served, alter_photo("rocket.jpg", "half size")) == {}


def test_server_that_runs_already_is_used(seaweedfs: S3Server, tmp_path: Path) -> None:
    """Given an endpoint, the runtime makes its bucket there if need be, and starts no server."""
    data = tmp_path / "data"
    buckets = boto3_client(seaweedfs)
    environ = {"HMA_STORE_KEY": seaweedfs.key, "HMA_STORE_SECRET": seaweedfs.secret}
    with running(data, store=seaweedfs.endpoint, environ=environ) as served:
        wait_until(found(served, bank_photo(served)), "the copy matches")
        listed = buckets.list_objects_v2(Bucket="hma", Prefix="index/pdq/snapshots/")
        assert listed["KeyCount"] > 0
    assert not (data / "seaweedfs").exists()


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("http://127.0.0.1:1", "does not give us the bucket hma"),
        ("http://", "must be http://host:port"),
        ("nonsense", "nonsense"),
    ],
)
def test_store_that_cannot_be_used_is_told(store: str, says: str, tmp_path: Path) -> None:
    """An object store out of reach is an error at the start, not a server that knows nothing."""
    refused = hma("serve", "--port", "0", "--data", tmp_path / "data", "--store", store)
    assert refused.code == 1
    assert says in refused.err
    assert "Traceback" not in refused.err


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Of an answer the body is sent before the client has acknowledged its head."""
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_every_function_with_a_schedule_has_its_jobs() -> None:
    """What a cloud's scheduler calls, `hma serve` runs by itself: nothing is left out."""
    assert set(SCHEDULED) == {function.verb for function in FUNCTIONS if function.schedule}


def test_http_is_spoken_in_c() -> None:
    """What every server of ours runs on is installed: httptools and uvloop, not pure Python."""
    config = uvicorn.Config("functions.web.app:build", factory=True)
    config.load()
    assert config.http_protocol_class is HttpToolsProtocol
    assert config.get_loop_factory() is uvloop.new_event_loop


@pytest.mark.parametrize("entry", ["functions.hash", "functions.match", "local_runtime.cli"])
def test_pictures_are_hashed_by_one_thread_each(entry: str) -> None:
    """Whatever a user starts, BLAS has one thread, unless that user says otherwise."""
    code = (
        f"import {entry}, numpy, threadpoolctl\n"
        "pools = threadpoolctl.threadpool_info()\n"
        "print({pool['num_threads'] for pool in pools if 'numpy' in pool['filepath']})"
    )
    for given, threads in (({}, 1), ({"OPENBLAS_NUM_THREADS": "2"}, 2)):
        environ = {n: v for n, v in os.environ.items() if not n.endswith("_NUM_THREADS")} | given
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str({threads})
