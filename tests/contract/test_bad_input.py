"""Whatever a client sends, the answer is never a 5xx, and costs little."""

import http.client
import io
import json
import random
import select
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.contract.answers import message
from tests.pictures import photograph, truncated
from tests.served import Served

MEGABYTE = 1 << 20
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
TOO_LARGE = "The data value transmitted exceeds the capacity limit."


def raw(api: Served, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to these bytes, sent as they are."""
    with socket.create_connection(api.address, timeout=20) as connection:
        connection.sendall(request)
        return answer_on(connection)


def answer_on(connection: socket.socket) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.read()


def blocks(megabytes: int) -> Iterator[bytes]:
    """A multipart body with a file of that size, made as it is sent."""
    yield b'--b\r\nContent-Disposition: form-data; name="video"; filename="v"\r\n\r\n'
    for _ in range(megabytes):
        yield bytes(MEGABYTE)
    yield b"\r\n--b--\r\n"


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
CHUNKED = (
    b"POST /h/hash HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
)


@pytest.mark.parametrize("path", ["/h/hash", "/m/lookup", "/c/banks", "/m/compare", "/nothing"])
def test_gigabyte_is_refused_before_it_is_read(api: Served, path: str) -> None:
    """A body that says it is too large gets its answer without one byte of it being sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 30}\r\n"
    status, body = raw(api, f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
    assert (status, json.loads(body)) == (413, {"message": TOO_LARGE})


@needs_proc
def test_gigabyte_in_chunks_is_cut_off(api: Served) -> None:
    """A body that does not say how long it is gets its answer when it passes the limit."""
    before, sent = api.memory(), 0
    with socket.create_connection(api.address, timeout=20) as connection:
        connection.sendall(CHUNKED)
        for block in blocks(1024):
            sent += len(block)
            connection.sendall(b"%x\r\n%s\r\n" % (len(block), block))
            if select.select([connection], [], [], 0)[0]:
                break
        status, body = answer_on(connection)
    assert (status, json.loads(body)) == (413, {"message": TOO_LARGE})
    assert sent < 100 * MEGABYTE
    assert api.memory() - before < 20 * MEGABYTE


@needs_proc
def test_memory_stays_flat_while_uploads_come_in(api: Served) -> None:
    """Files go to disk: five uploads at once of 19 MB leave no trace in memory."""
    api.post("/h/hash", data=b"".join(blocks(1)), headers=MULTIPART)
    before = api.memory()
    connections = [socket.create_connection(api.address, timeout=20) for _ in range(5)]
    try:
        for connection in connections:
            connection.sendall(CHUNKED)
        most = 0
        for block in blocks(19):
            for connection in connections:
                connection.sendall(b"%x\r\n%s\r\n" % (len(block), block))
            most = max(most, api.memory())
        for connection in connections:
            connection.sendall(b"0\r\n\r\n")
            status, body = answer_on(connection)
            assert (status, list(json.loads(body))) == (200, ["video_md5"])
        assert max(most, api.memory()) - before < 20 * MEGABYTE
    finally:
        for connection in connections:
            connection.close()


def test_json_body_is_bounded(api: Served) -> None:
    """JSON is held in memory, so less of it is allowed than of a file."""
    body = b'{"pdq": ["' + b"0" * (9 * MEGABYTE) + b'"]}'
    answer = api.post("/m/compare", data=body, headers={"Content-Type": "application/json"})
    assert "JSON body" in message(answer, 413)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "multipart/form-data"}, b""),
        ({"Content-Type": "multipart/form-data; boundary="}, b"--\r\n"),
        ({"Content-Type": "multipart/form-data; boundary=" + "b" * 10_000}, b"--b"),
        ({"Content-Type": 'multipart/form-data; boundary="b'}, b"--b\r\n"),
        ({"Content-Type": "multipart/form-data; boundary=b; charset=punycode"}, None),
        ({"Content-Type": "multipart/form-data; boundary=b; charset=hex"}, None),
        ({"Content-Type": "multipart/form-data; boundary=b; charset=utf-7"}, None),
        (MULTIPART, b""),
        (MULTIPART, b"--b"),
        (MULTIPART, b"garbage"),
        (MULTIPART, b"--b\r\n\r\nno headers\r\n--b--\r\n"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; filename="f"\r\n\r\nx\r\n--b--\r\n'),
        (MULTIPART, b"--b\r\nContent-Disposition: \xff\xfe\r\n\r\nx\r\n--b--\r\n"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="photo"; filename="f"\r\n\r\nx'),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="photo\xff"; filename="\xff"'
                    b"\r\n\r\nx\r\n--b--\r\n"),
        (MULTIPART, b"--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\nx\r\n--b--\r\n"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 2000
                    + b"--b--"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n'
                    + b"x" * 2 * MEGABYTE + b"\r\n--b--\r\n"),
    ],
)  # fmt: skip
def test_malformed_uploads(
    api: Served, bank: str, headers: dict[str, str], body: bytes | None
) -> None:
    """Each is the client's mistake, on each route that takes uploads."""
    if body is None:
        body = (
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xff-\xff\r\n'
            b'--b\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\nx\r\n--b--\r\n'
        )
    for path in "/h/hash", "/m/lookup", f"/c/bank/{bank}/content":
        assert message(api.post(path, data=body, headers=headers), 400)


@pytest.mark.parametrize(
    "target",
    [
        "/m/lookup?signal=%zz&signal_type=%",
        "/m/lookup?%ff=%ff&signal=%ff%fe&signal_type=pdq",
        "/m/lookup?signal=%00&signal_type=pdq",
        "/m/lookup?signal=%ed%a0%80&signal_type=pdq",
        "/m/lookup?" + "&" * 5000,
        "/m/lookup?" + "a=b&" * 5000,
        "/m/lookup?signal=" + "0" * 50_000 + "&signal_type=pdq",
        "/m/lookup?signal&signal_type",
        "/m/raw_lookup?include_distance=%00&signal=x&signal_type=x",
        "/h/hash?url=http%3a%2f%2f%00",
        "/h/hash?url=%ff",
        "/c/bank/%ed%a0%80",
        "/c/bank/%2e%2e%2fx",
        "/c/bank/..%2f..%2fx/content/1",
        "/c/bank/%",
        "/" * 3000,
        "/%2f%2f",
        "/;/?#",
    ],
)
def test_malformed_targets(api: Served, target: str) -> None:
    """Percent-encodings that decode to nothing, to NUL, to half a character, or to a path."""
    status, body = raw(api, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert status < 500, body


@pytest.mark.parametrize(
    "header",
    [
        b"Host: [",
        b"Host: \xff",
        b"Host: x\r\nContent-Length: " + b"9" * 5000,
        b"Host: x\r\nContent-Length: -1",
        b"Host: x\r\nContent-Type: \xff; charset=\xff",
        b"Host: x\r\nContent-Type: ;;;=",
        b"Host: x\r\nAuthorization: \xff",
        b"Host: x\r\nRange: bytes=0-\r\nIf-None-Match: *\r\nAccept: nothing",
    ],
)
@pytest.mark.parametrize("target", [b"POST /h/hash", b"POST /c/banks", b"GET /m/lookup"])
def test_malformed_headers(api: Served, target: bytes, header: bytes) -> None:
    """Headers that no client means are a 4xx too."""
    status, body = raw(api, target + b" HTTP/1.1\r\n" + header + b"\r\n\r\n")
    assert 400 <= status < 500, body


def test_client_that_hangs_up(api: Served) -> None:
    """Half an upload and then nobody: no accident in the log, where the fixture looks."""
    for sent in b"", b"--b\r\n", b"".join(blocks(1))[:1000]:
        with socket.create_connection(api.address, timeout=20) as connection:
            connection.sendall(
                b"POST /h/hash HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + sent
            )
    assert api.get("/status/live").status_code == 200


FUZZ = 600


def test_no_odd_request_is_an_accident(api: Served, bank: str) -> None:
    """Seeded nonsense over every route: each answer is below 500 and comes within seconds."""
    rng = random.Random(20)
    rules = [rule for rule in api.get("/site-map").json() if not rule.startswith("/openapi")]
    odd = Odd(rng, bank)
    with requests.Session() as session:
        for _ in range(FUZZ):
            method, path, options = odd.request(rng.choice(rules))
            began = time.monotonic()
            answer = session.request(
                method, api.url + path, allow_redirects=False, timeout=30, **options
            )
            told = (method, path, options, answer.status_code, answer.text[:300])
            assert answer.status_code < 500, told
            assert time.monotonic() - began < 10, told
            if path.startswith("/ui") and answer.status_code not in (200, 302, 422):
                assert answer.headers["Content-Type"].startswith("text/html"), told
            elif answer.status_code >= 400 and method != "HEAD":
                body = answer.json()
                assert (
                    isinstance(body, list)
                    if answer.status_code == 422
                    else list(body) == ["message"]
                ), told


class Odd:
    """Requests as nobody sensible sends them."""

    def __init__(self, rng: random.Random, bank: str) -> None:
        self.rng = rng
        self.names = [
            bank,
            "NO_SUCH",
            "\0",
            "é",
            "..",
            "a" * 3000,
            "1",
            "0",
            "99999999999999999999",
        ]
        self.keys = [
            *("signal", "signal_type", "banks", "seed", "bypass_coinflip", "min_snapshot", "types"),
            *("content_type", "url", "include_distance", "include_signals", "name", "enabled"),
            *("enabled_ratio", "note", "metadata", "disable_until_ts", "pdq", "video_md5", "\0"),
        ]
        self.texts = [
            *("", "pdq", "video_md5", "0" * 64, "z" * 64, "f" * 32, "photo", "video", "true", "-1"),
            *(
                "1",
                "nan",
                "inf",
                "1e999",
                "\0",
                "é" * 100,
                "\U0001f600",
                "{",
                "null",
                ",",
                "x" * 9000,
            ),
            *("http://127.0.0.1:1/", "file:///etc/passwd", "http://10.0.0.1/x", "http://[", bank),
        ]

    def request(self, rule: str) -> tuple[str, str, dict[str, Any]]:
        path = rule
        for part in "<bank_name>", "<int:content_id>":
            path = path.replace(part, quote(self.rng.choice(self.names), safe=""))
        method = self.rng.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
        options: dict[str, Any] = {}
        if self.rng.random() < 0.7:
            options["params"] = [(self.key(), self.text()) for _ in range(self.rng.randrange(6))]
        options |= self.rng.choice([self.nothing, self.form, self.files, self.json, self.bytes])()
        return method, path, options

    def key(self) -> str:
        return self.rng.choice(self.keys)

    def text(self) -> str:
        return self.rng.choice(self.texts)

    def value(self, depth: int = 0) -> object:
        kind = self.rng.randrange(8 if depth < 3 else 5)
        if kind == 5:
            return [self.value(depth + 1) for _ in range(self.rng.randrange(4))]
        if kind > 5:
            return {self.key(): self.value(depth + 1) for _ in range(self.rng.randrange(5))}
        numbers: list[object] = [None, True, 0, -1, 10**30, 0.5, float("nan"), "\ud800"]
        return self.rng.choice(numbers) if kind < 2 else self.text()

    def nothing(self) -> dict[str, Any]:
        return {}

    def form(self) -> dict[str, Any]:
        return {"data": {self.key(): self.text() for _ in range(self.rng.randrange(4))}}

    def files(self) -> dict[str, Any]:
        contents = [b"", b"x", truncated(), photograph("coffee.png"), self.rng.randbytes(3000)]
        field = self.rng.choice(["photo", "photo", "video", "file", "\xff"])
        files = [(field, (self.text()[:50], io.BytesIO(self.rng.choice(contents))))]
        if self.rng.random() < 0.2:
            files *= 2
        return {"files": files, "data": {self.key(): self.text()}}

    def json(self) -> dict[str, Any]:
        body = json.dumps(self.value()).encode()
        return {"data": body, "headers": {"Content-Type": "application/json"}}

    def bytes(self) -> dict[str, Any]:
        types = [
            "application/json",
            "multipart/form-data; boundary=b",
            "text/plain",
            "*",
            "image/png",
        ]
        size = self.rng.randrange(2000)
        return {
            "data": self.rng.randbytes(size),
            "headers": {"Content-Type": self.rng.choice(types)},
        }
