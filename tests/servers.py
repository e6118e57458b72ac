"""Real servers for tests, and a relay that stands before one and misbehaves."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import boto3
import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from mypy_boto3_s3 import S3Client

from core.settings import Settings
from core.store import ObjectStore, open_store
from local_runtime.store.child import Child
from local_runtime.store.s3_server import BUCKET, HOST, S3Server
from tests.served import reserved_port

MOTO_PAGE = 100
"""Keys of one answer of moto's. Others have 1,000, which take as many requests to make."""


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return as soon as `condition` holds; fail, saying `what` was awaited, if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.01)


def settings_for(server: S3Server, prefix: str = "") -> Settings:
    """Settings whose store is this server, under `prefix` or else a prefix never used before."""
    url = f"s3://{server.bucket}/{prefix or uuid4().hex}"
    return Settings.from_env({**server.environ(), "HMA_STORE_URL": url})


def store_on(server: S3Server, prefix: str = "") -> ObjectStore:
    """A store on this server, under `prefix` or else a prefix never used before."""
    return open_store(settings_for(server, prefix))


def boto3_client(server: S3Server) -> S3Client:
    """A client of this server that shares no code of ours."""
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name="us-east-1",
        config=Config(
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def start_moto(data: Path) -> S3Server:
    """moto's S3 server, once its bucket exists. It keeps everything in memory."""
    with reserved_port() as port:
        return _moto_on(port, data)


def _moto_on(port: int, data: Path) -> S3Server:
    child = Child.start(
        [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)],
        log=data / "server.log",
        environ={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(MOTO_PAGE)},
    )
    server = S3Server(
        name="moto",
        endpoint=f"http://{HOST}:{port}",
        bucket=BUCKET,
        key="moto",
        secret="moto",
        console=None,
        child=child,
        ports=[port],
    )

    def answers() -> bool:
        assert child.running(), (data / "server.log").read_text()
        try:
            boto3_client(server).create_bucket(Bucket=BUCKET)
        except BotoCoreError:
            return False
        return True

    wait_until(answers, "moto answers")
    return server


@dataclass(frozen=True)
class Request:
    """What a client asked of the relay."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What the relay says to the client; status 0 stands for closing the connection in silence."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


Forward = Callable[[Request], Answer]
"""Hands a request on to the real server, signed anew, and returns what that said."""


FORWARDED = frozenset({"content-md5", "content-type", "if-none-match", "range"})
"""Headers of a request that mean something to the store; the rest belongs to one connection."""


@contextmanager
def relay(server: S3Server, handle: Callable[[Request, Forward], Answer]) -> Iterator[S3Server]:
    """A server whose every request `handle` may change, answer or lose, and else forwards."""
    signer = S3SigV4Auth(Credentials(server.key, server.secret), "s3", "us-east-1")
    http = urllib3.PoolManager(retries=False)

    def forward(request: Request) -> Answer:
        headers = {k: v for k, v in request.headers.items() if k.lower() in FORWARDED}
        signed = AWSRequest(request.method, server.endpoint + request.path, headers, request.body)
        signer.add_auth(signed)
        got = http.request(
            request.method,
            server.endpoint + request.path,
            body=request.body,
            headers=dict(signed.headers),
        )
        return Answer(got.status, dict(got.headers), got.data)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            got = handle(Request(self.command, self.path, dict(self.headers), body), forward)
            if not got.status:
                self.close_connection = True
                return
            self.send_response(got.status)
            for name, value in got.headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            if got.status != 204:
                self.send_header("Content-Length", str(len(got.body)))
            self.end_headers()
            self.wfile.write(got.body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Tests read what the store says, not an access log."""

    with ThreadingHTTPServer((HOST, 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield replace(server, endpoint=f"http://{HOST}:{listening.server_port}")
        finally:
            listening.shutdown()
            thread.join()
            http.clear()
