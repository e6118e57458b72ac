"""What a server may do to whoever asks it."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.exchanges.apis import connection
from core.exchanges.apis.connection import Connection, Trail

SECRET = "s3cr|t of ours"


@contextmanager
def server(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """One that sends these parts to everybody, with pauses in between."""
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            with suppress(OSError):
                accepted, _ = listener.accept()
                with accepted:
                    accepted.recv(65536)
                    for part in parts:
                        accepted.sendall(part)
                        if ending.wait(pause):
                            break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ending.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def asked(url: str, timeout: float = 2.0) -> bytes:
    return Connection("x", url, {"Key": SECRET}, (SECRET,), timeout).get("/", lambda _: {}, bytes)


def test_an_answer_is_read() -> None:
    """The server of these tests can be asked at all."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok") as url:
        assert asked(url) == b"ok"


def test_an_answer_that_drips_has_an_end() -> None:
    """Bytes that keep coming one at a time do not keep us for ever."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    began = time.monotonic()
    with (
        server(head, *[b"x"] * 1000, pause=0.02) as url,
        pytest.raises(ExchangeUnavailable, match="x did not answer in time"),
    ):
        asked(url, timeout=0.1)
    assert time.monotonic() - began < 10


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the largest page is not taken into memory."""
    monkeypatch.setattr(connection, "LARGEST_PAGE", 100_000)
    with (
        server(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 200_000) as url,
        pytest.raises(ExchangeUnavailable, match="sent more than 100000 bytes"),
    ):
        asked(url)


def test_redirects_are_not_followed() -> None:
    """Our headers stay with the server that they are for."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok") as elsewhere:
        head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        with server(head.encode()) as url, pytest.raises(ExchangeUnavailable, match="answered 302"):
            asked(url)


def test_nobody_there_is_told_without_the_url() -> None:
    """An error of the network does not quote what was asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ExchangeUnavailable, match=r"^x cannot be reached \(ConnectionError\)$"):
        asked(f"http://127.0.0.1:{port}/?access_token={SECRET}")


@pytest.mark.parametrize("spelt", [SECRET, "s3cr%7Ct%20of%20ours", "s3cr%7Ct+of+ours"])
def test_secrets_are_cut_out_of_what_a_server_says(spelt: str) -> None:
    """However they are quoted."""
    body = f"bad key {spelt}!".encode()
    head = f"HTTP/1.1 400 Bad\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with server(head, body) as url, pytest.raises(ExchangeRefused) as raised:
        asked(url)
    assert raised.value.message == "x answered 400: bad key …!"


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("120", 120, 120),
        (formatdate(0, usegmt=True), 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("nan", 0, 0),
        ("inf", 0, 0),
    ],
)
def test_how_long_to_wait(header: str, low: float, high: float) -> None:
    """Seconds in `Retry-After` are understood, a date that is past and nonsense are none."""
    assert low <= told_to_wait(header) <= high


def test_how_long_to_wait_for_a_time_to_come() -> None:
    """The other form of `Retry-After` says when."""
    assert 3000 <= told_to_wait(formatdate(time.time() + 3600, usegmt=True)) <= 3600


def told_to_wait(header: str) -> float:
    """Seconds that are waited after an answer with this `Retry-After`."""
    head = f"HTTP/1.1 429 No\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()
    with server(head) as url, pytest.raises(ExchangeUnavailable) as raised:
        asked(url)
    return raised.value.wait


@given(st.integers(0, 50), st.integers(1, 50))
def test_circles_are_noticed(before: int, length: int) -> None:
    """A circle of any length, entered anywhere, ends after few rounds; and no page is refused that
    was not seen before."""
    trail = Trail("x")
    for number in range(before + length):
        trail.follow(str(number))
    rounds = (trail.follow(str(before + number % length)) for number in itertools.count())
    with pytest.raises(ExchangeUnavailable):
        list(itertools.islice(rounds, 4 * (before + length)))
