"""What an object store may do to us, and what we then say: never more than we know."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ObjectExists, ObjectMissing, StoreUnavailable
from core.settings import Settings
from core.store import ObjectStore, honours_create, open_store
from local_runtime.store.s3_server import S3Server, find_minio, start_minio, start_seaweedfs
from tests.servers import (
    Answer,
    Forward,
    Request,
    boto3_client,
    relay,
    settings_for,
    store_on,
    wait_until,
)

MB = 1 << 20
XML = {"Content-Type": "application/xml"}
HTML = Answer(404, {"Content-Type": "text/html"}, b"<h1>404 page not found</h1>")


def s3_error(status: int, code: str) -> Answer:
    return Answer(
        status, XML, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    )


def every_call(store: ObjectStore, source: Path) -> dict[str, Callable[[], object]]:
    """Each method of the Protocol, on the object `key`."""
    return {
        "get": lambda: store.get("key"),
        "get_range": lambda: store.get_range("key", 0, 1),
        "create": lambda: store.create("new", b"x"),
        "put": lambda: store.put("key", b"x"),
        "upload": lambda: store.upload("key", source),
        "list": lambda: store.list(""),
        "delete": lambda: store.delete("other"),
    }


def seconds_until_unavailable(call: Callable[[], object]) -> float:
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        call()
    return time.monotonic() - start


@pytest.fixture(params=["seaweedfs", "minio"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], S3Server]:
    """Starts a server of our own to be rough with, each time on the same folder."""
    if request.param == "seaweedfs":
        return lambda: start_seaweedfs(tmp_path / "server")
    binary = find_minio()
    if binary is None:
        pytest.skip("no MinIO binary: `make minio` builds it where Go is installed")
    return lambda: start_minio(binary, tmp_path / "server")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source.bin"
    source.write_bytes(b"source")
    return source


class TestOutages:
    def test_killed_and_back(self, start: Callable[[], S3Server], source: Path) -> None:
        """A killed server is unavailable within 5 s; when it is back, so is all it had."""
        server = start()
        store = store_on(server)
        store.put("key", b"kept")
        os.kill(server.child.pid, signal.SIGKILL)
        wait_until(lambda: not server.child.running(), "the server is gone")
        for name, call in every_call(store, source).items():
            assert seconds_until_unavailable(call) < 5, name
        again = start()
        try:
            assert again.endpoint == server.endpoint
            assert store.get("key") == b"kept"
            store.create("new", b"x")
            assert [info.key for info in store.list("")] == ["key", "new"]
        finally:
            again.stop()
            server.stop()

    def test_stopped_and_on_again(self, tmp_path: Path) -> None:
        """A server that takes connections and says nothing is unavailable in bounded time."""
        server = start_seaweedfs(tmp_path / "server")
        large = tmp_path / "large.bin"
        large.write_bytes(bytes(40 * MB))
        store = store_on(server)
        store.put("key", b"kept")
        calls = every_call(store, large)
        calls["put 20 MB"] = lambda: store.put("large", bytes(20 * MB))
        os.kill(server.child.pid, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(len(calls)) as pool:
                times = pool.map(seconds_until_unavailable, calls.values())
                took = dict(zip(calls, times, strict=True))
        finally:
            os.kill(server.child.pid, signal.SIGCONT)
        assert max(took.values()) < 24, took
        assert took["get"] < 13
        assert took["create"] < 13
        try:
            # What it received while it was stopped it does now, but nothing by halves.
            wait_until(lambda: store.get("key") == b"x", "the server is at it again")
            wait_until(lambda: store.list("new"), "the server has done what it was sent")
            assert store.get("new") == b"x"
            assert {info.key for info in store.list("")} == {"key", "new"}
            store.put("key", b"again")
            assert store.get("key") == b"again"
        finally:
            server.stop()

    def test_an_address_that_nobody_has(self, source: Path) -> None:
        """An address whose packets are lost is given up within 7 s, saying what to look at."""
        settings = Settings(
            store_url="s3://bucket", store_endpoint="http://192.0.2.1:9", store_key="k"
        ).model_copy(update={"store_secret": "s"})
        calls = every_call(open_store(settings), source)
        with ThreadPoolExecutor(len(calls)) as pool:
            took = list(pool.map(seconds_until_unavailable, calls.values()))
        assert max(took) < 7
        with pytest.raises(StoreUnavailable, match="HMA_STORE_ENDPOINT"):
            calls["get"]()


class TestRefusals:
    @pytest.fixture(params=["seaweedfs", "minio"])
    def server(self, request: pytest.FixtureRequest) -> S3Server:
        server: S3Server = request.getfixturevalue(request.param)
        return server

    @pytest.mark.parametrize("wrong", ["store_key", "store_secret"])
    def test_wrong_credentials(self, server: S3Server, source: Path, wrong: str) -> None:
        """Refused credentials are not a missing object; the message names the variables."""
        settings = settings_for(server).model_copy(update={wrong: "wrong-wrong-wrong"})
        for call in every_call(open_store(settings), source).values():
            with pytest.raises(StoreUnavailable, match="HMA_STORE_KEY and HMA_STORE_SECRET"):
                call()

    def test_no_such_bucket(self, server: S3Server, source: Path) -> None:
        """A bucket that does not exist is not an empty one; the message says what to do."""
        settings = settings_for(server).model_copy(update={"store_url": "s3://no-such-bucket/x"})
        for call in every_call(open_store(settings), source).values():
            with pytest.raises(StoreUnavailable, match="'no-such-bucket' does not exist: create"):
                call()


class TestBehindARelay:
    @pytest.fixture(params=["moto_server", "seaweedfs", "minio"])
    def server(self, request: pytest.FixtureRequest) -> S3Server:
        server: S3Server = request.getfixturevalue(request.param)
        return server

    def test_a_faithful_relay(self, server: S3Server) -> None:
        """The relay as such changes nothing: the tests below show what is done in it."""
        with relay(server, lambda request, forward: forward(request)) as through:
            store = store_on(through)
            store.create("a/ü b", b"0123456789")
            assert store.get_range("a/ü b", 2, 5) == b"234"
            assert honours_create(store)
            assert [info.key for info in store.list("")] == ["a/ü b"]

    def test_a_store_that_ignores_the_condition(self, server: S3Server) -> None:
        """The probe finds a store that overwrites what create must not, and cleans up there."""

        def strip(request: Request, forward: Forward) -> Answer:
            request.headers.pop("If-None-Match", None)
            return forward(request)

        with relay(server, strip) as through:
            store = store_on(through)
            assert not honours_create(store)
            assert store.list("") == []

    @pytest.mark.parametrize("server", ["seaweedfs", "minio"], indirect=True)
    def test_a_body_that_is_lost(self, server: S3Server, tmp_path: Path) -> None:
        """A write whose body does not arrive stores nothing, and leaves alone what there was."""
        large = tmp_path / "large.bin"
        large.write_bytes(bytes(40 * MB))

        def lose(request: Request, forward: Forward) -> Answer:
            return forward(replace(request, body=b"") if request.method == "PUT" else request)

        direct = store_on(server, "lost")
        direct.put("key", b"kept")
        with relay(server, lose) as through:
            store = store_on(through, "lost")
            writes: list[Callable[[], object]] = [
                lambda: store.create("new", b"x"),
                lambda: store.put("key", b"x"),
                lambda: store.upload("key", Path(__file__)),
                lambda: store.upload("key", large),
            ]
            for write in writes:
                with pytest.raises(StoreUnavailable):
                    write()
        assert [info.key for info in direct.list("")] == ["key"]
        assert direct.get("key") == b"kept"

    def test_an_answer_that_is_lost(self, server: S3Server) -> None:
        """A create whose answer is lost is sent again and finds itself there: as documented."""
        puts = []

        def lose_first(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if request.method == "PUT":
                puts.append(answer.status)
                if len(puts) == 1:
                    return Answer(0, {}, b"")
            return answer

        with relay(server, lose_first) as through:
            store = store_on(through)
            with pytest.raises(ObjectExists):
                store.create("key", b"mine")
            assert store.get("key") == b"mine"
        assert puts == [200, 412]

    @pytest.mark.parametrize(
        "fault",
        [
            s3_error(409, "ConditionalRequestConflict"),
            s3_error(503, "SlowDown"),
            s3_error(500, "InternalError"),
            Answer(0, {}, b""),
        ],
        ids=["conflict", "slow down", "internal error", "connection closed"],
    )
    def test_a_fault_that_passes(self, moto_server: S3Server, fault: Answer) -> None:
        """An answer that asks for another try gets one, and the create succeeds."""
        asked = []

        def fail_first(request: Request, forward: Forward) -> Answer:
            asked.append(request.method)
            return fault if len(asked) == 1 else forward(request)

        with relay(moto_server, fail_first) as through:
            store = store_on(through)
            store.create("key", b"x")
            assert store.get("key") == b"x"
        assert asked == ["PUT", "PUT", "GET"]

    @pytest.mark.parametrize(
        "nonsense",
        [
            HTML,
            Answer(404, {}, b""),
            s3_error(404, "NoSuchThing"),
            Answer(412, {}, b""),
            s3_error(500, "InternalError"),
            Answer(0, {}, b""),
        ],
        ids=["404 page", "bare 404", "odd code", "bare 412", "always 500", "always closed"],
    )
    def test_nonsense(self, moto_server: S3Server, source: Path, nonsense: Answer) -> None:
        """A gateway's own 404 or 412 says nothing about the object, so neither do we."""
        with relay(moto_server, lambda request, forward: nonsense) as through:
            for call in every_call(store_on(through), source).values():
                with pytest.raises(StoreUnavailable):
                    call()

    def test_a_page_in_place_of_everything(self, moto_server: S3Server) -> None:
        """A web server that greets whatever is written to it does not pass the probe."""
        page = Answer(200, {"Content-Type": "text/html"}, b"<h1>Welcome to nginx!</h1>")
        with relay(moto_server, lambda request, forward: page) as through:
            assert not honours_create(store_on(through))

    def test_a_missing_object_is_the_stores_word(self, server: S3Server) -> None:
        """The real server's own "no such key" still comes through as a missing object."""
        with (
            relay(server, lambda request, forward: forward(request)) as through,
            pytest.raises(ObjectMissing),
        ):
            store_on(through).get("nothing")

    def test_a_read_costs_one_request(self, server: S3Server) -> None:
        """get, get_range, create and an empty list each ask the store exactly once."""
        asked = []

        def count(request: Request, forward: Forward) -> Answer:
            asked.append(request.method)
            return forward(request)

        with relay(server, count) as through:
            store = store_on(through)
            store.list("nothing/")
            store.create("key", b"0123456789")
            store.get("key")
            store.get_range("key", 1, 3)
            store.list("key")
            store.delete("key")
        assert asked == ["GET", "PUT", "GET", "GET", "GET", "DELETE"]

    def test_an_upload_in_parts_leaves_none_behind(self, minio: S3Server, tmp_path: Path) -> None:
        """An upload that fails half-way changes nothing and leaves no parts to pay for."""
        large = tmp_path / "large.bin"
        large.write_bytes(bytes(50 * MB))
        store = store_on(minio, "parts")
        store.put("key", b"before")

        def fail_third(request: Request, forward: Forward) -> Answer:
            if "partNumber=3" in request.path:
                return s3_error(403, "AccessDenied")
            return forward(request)

        with relay(minio, fail_third) as through, pytest.raises(StoreUnavailable):
            store_on(through, "parts").upload("key", large)
        assert store.get("key") == b"before"
        left = boto3_client(minio).list_multipart_uploads(Bucket=minio.bucket)
        assert "Uploads" not in left
