"""Fetching reaches public hosts, or those allowed, and nothing else, for a bounded time.

All servers here listen on the loopback interface, so whatever reaches one has gone astray, unless
its host was allowed.
"""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.download import pinned_connection
from core.download.address import Address, Resolve, resolve_host
from core.download.fetch_url import fetch_url
from core.errors import BadInput, TooLarge
from core.settings import Settings

UNSAFE = "Invalid or unsafe URL provided"

LOOPBACK = "127.0.0.1"
PUBLIC = "203.0.112.1"
UNROUTED = "3ffe:ffff::1"
"""Global by its form, but of a network that was given back: nobody answers there."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\nhello"

Script = Callable[[socket.socket], None]


def says(*answers: bytes) -> Script:
    """A server that answers with these bytes and closes, whatever it is asked."""

    def script(connection: socket.socket) -> None:
        for answer in answers:
            connection.sendall(answer)

    return script


def dribbles(start: bytes, endless: bytes, gone: threading.Event) -> Script:
    """A server that sends `start`, then `endless` again and again, ever so slowly."""

    def script(connection: socket.socket) -> None:
        connection.sendall(start)
        while not gone.wait(0.02):
            connection.sendall(endless)

    return script


class Server(ThreadingTCPServer):
    """A server on a loopback port that follows its script, and writes down what it was sent."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, host: str = LOOPBACK):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.requests: list[bytes] = []
        self.connections = 0

        class Handler(BaseRequestHandler):
            def handle(handler) -> None:  # noqa: N805 - `self` is the server here
                self.connections += 1
                with suppress(OSError), ExitStack() as stack:
                    connection = handler.request
                    if tls:
                        connection = tls.wrap_socket(connection, server_side=True)
                    stack.enter_context(closing(connection))
                    self.requests.append(connection.recv(65536))
                    script(connection)

        super().__init__((host, 0), Handler)
        self.port = self.server_address[1]


@contextmanager
def serving(
    script: Script, tls: ssl.SSLContext | None = None, host: str = LOOPBACK
) -> Iterator[Server]:
    with Server(script, tls, host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def gone() -> Iterator[threading.Event]:
    """Set when the test is over, for servers that would go on for ever."""
    event = threading.Event()
    yield event
    event.set()


def settings(*allowed: str, **changes: object) -> Settings:
    return Settings.model_validate({"allowed_hostnames": allowed, **changes})


ALLOWED = settings(LOOPBACK)


def get(url: str, given: Settings = ALLOWED, resolve: Resolve = resolve_host) -> bytes:
    with fetch_url(url, given, resolve).body as body:
        return body.read()


def refusal(url: str, given: Settings = ALLOWED, resolve: Resolve = resolve_host) -> str:
    """Why `url` could not be fetched."""
    with pytest.raises(BadInput) as caught:
        get(url, given, resolve)
    return caught.value.message


def named(**addresses: str) -> Resolve:
    """A resolver that knows these names alone; dots in them are written as underscores."""

    def resolve(host: str, port: int) -> Sequence[Address]:
        known = addresses.get(host.replace(".", "_"))
        if known is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [address for one in known.split() for address in resolve_host(one, port)]

    return resolve


def test_a_file_comes_with_its_content_type() -> None:
    """The body, at its beginning, and what its server says it is; nobody's credentials go along."""
    with serving(says(OK)) as server:
        fetched = fetch_url(f"http://{LOOPBACK}:{server.port}/a/b%20c?q=1&r=%2F#fragment", ALLOWED)
        with fetched.body as body:
            assert (body.read(), fetched.content_type) == (b"hello", "image/png")
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "GET /a/b%20c?q=1&r=%2F HTTP/1.1"
    assert f"Host: {LOOPBACK}:{server.port}" in head
    assert "Accept-Encoding: identity" in head
    assert not any(line.lower().startswith(("authorization", "cookie")) for line in head)


def test_a_file_without_content_type() -> None:
    """None, and not a guess; its length is where the connection ends."""
    with serving(says(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo")) as server:
        fetched = fetch_url(f"http://{LOOPBACK}:{server.port}", ALLOWED)
        with fetched.body as body:
            assert (body.read(), fetched.content_type) == (b"hello", None)


def test_a_chunked_file() -> None:
    """Put together from its chunks."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(says(head, b"3\r\nhel\r\n", b"2;x=y\r\nlo\r\n0\r\n\r\n")) as server:
        assert get(f"http://{LOOPBACK}:{server.port}/") == b"hello"


def test_a_large_file() -> None:
    """One that is kept on disk, not in memory, comes whole."""
    content = bytes(range(256)) * (3 << 12)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    with serving(says(head, content)) as server:
        assert get(f"http://{LOOPBACK}:{server.port}/") == content


def test_text_that_is_not_ascii_is_encoded() -> None:
    """A URL as people write it."""
    with serving(says(OK)) as server:
        url = f"http://bücher.test:{server.port}/größe?q=ü"
        resolve = named(**{"xn--bcher-kva_test": LOOPBACK})
        assert get(url, settings("xn--bcher-kva.test"), resolve) == b"hello"
    lines = server.requests[0].split(b"\r\n")
    assert lines[0] == b"GET /gr%C3%B6%C3%9Fe?q=%C3%BC HTTP/1.1"
    assert f"Host: xn--bcher-kva.test:{server.port}".encode() in lines


HOSTILE = [
    # loopback as everybody writes it
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.1.2.3:{port}/",
    # and as `inet_aton` reads it: decimal, octal, hexadecimal, shortened, and mixed
    "http://2130706433:{port}/",
    "http://017700000001:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7F.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://00000177.0.0.01:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    # as other characters that are normalised to it
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54:{port}/",
    "http://loc\u00adalhost:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.org:{port}/",
    # as IPv6, and as IPv4 within IPv6: mapped, compatible, NAT64, 6to4, Teredo
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[fd00:ec2::254]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[v1.127.0.0.1]:{port}/",
    # with a user's name or password, and what is taken for one
    "http://user@127.0.0.1:{port}/",
    "http://user:secret@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.org/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://127.0.0.1:{port}?@example.org/",
    # with other schemes, or none
    "file:///etc/passwd",
    "file://127.0.0.1:{port}/etc/passwd",
    "gopher://127.0.0.1:{port}/_GET%20/",
    "ftp://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "ws://127.0.0.1:{port}/",
    "jar:http://127.0.0.1:{port}/!/",
    "data:image/png;base64,aGVsbG8=",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "HTTP+UNIX://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    # with characters that one reader drops and another stops at
    "http://127.0.0.1:{port}/\r\nX-Injected: yes",
    "http://127.0.0.1:{port} .example.org/",
    "ht\ntp://127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    # with ports that are none
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:{port}x/",
    # the neighbourhood of a machine in a cloud or an office
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://168.63.129.16/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    # nothing at all
    "",
    "http",
    "http://",
    "http://:{port}/",
    "http://[",
    "http://]/",
    "http://.../",
    "http://a..b/",
    "http://" + "a" * 64 + ".example/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_urls_reach_nobody(url: str) -> None:
    """None of them is fetched, and none reaches a server on this machine."""
    with serving(says(OK)) as server, serving_v6() as server_v6:
        for listener in server, server_v6:
            why = refusal(url.replace("{port}", str(listener.port)), settings())
            # Where the system's resolver does not know a way to write an address
            assert why == UNSAFE or why.startswith("Failed to fetch URL: there is no host")
        assert get(f"http://{LOOPBACK}:{server.port}/") == b"hello"  # it would have been seen
    assert (server.connections, server_v6.connections) == (1, 0)


@contextmanager
def serving_v6() -> Iterator[Server]:
    """A server on the IPv6 loopback interface; on the other one where there is none."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        host = "::1"
    except OSError:
        host = LOOPBACK
    with serving(says(OK), host=host) as server:
        yield server


def test_most_hostile_urls_are_unsafe_by_themselves() -> None:
    """The list is long, and nothing in it fails for want of a network only."""
    reasons = [refusal(url.replace("{port}", "1"), settings()) for url in HOSTILE]
    assert len(reasons) >= 40
    assert reasons.count(UNSAFE) >= len(reasons) - 5


@pytest.mark.parametrize("addresses", [LOOPBACK, f"{PUBLIC} {LOOPBACK}", f"{PUBLIC} ::1", "::1"])
def test_a_name_is_refused_for_any_of_its_addresses(addresses: str) -> None:
    """One private address among public ones is enough, wherever it stands."""
    with serving(says(OK)) as server:
        url = f"http://innocent.example:{server.port}/"
        assert refusal(url, settings(), named(innocent_example=addresses)) == UNSAFE
    assert server.connections == 0


def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """DNS rebinding: a name is asked for once, and the address that was checked is connected to."""
    asked = []

    def rebinding(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return resolve_host(UNROUTED if len(asked) == 1 else LOOPBACK, port)

    with serving(says(OK)) as server:
        url = f"http://rebind.example:{server.port}/"
        given = settings(fetch_timeout_seconds=0.5)
        assert refusal(url, given, rebinding).startswith("Failed to fetch URL: ")
        assert asked == ["rebind.example"]
        assert refusal(url, given, rebinding) == UNSAFE
    assert server.connections == 0


def test_a_name_that_leads_nowhere() -> None:
    """A host that does not exist, and one without addresses."""
    for resolve in named(), named(empty_test=""):
        why = refusal("http://empty.test/", settings(), resolve)
        assert why == "Failed to fetch URL: there is no host 'empty.test'"


def test_the_next_address_is_tried() -> None:
    """A host with an address that is closed is reached by its other one."""
    with serving(says(OK)) as server:
        url = f"http://twice.test:{server.port}/"
        resolve = named(twice_test=f"127.0.0.2 {LOOPBACK}")
        assert get(url, settings("twice.test"), resolve) == b"hello"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    """Of every sort, to a full address or a path."""
    with serving(says(OK)) as server:
        home = f"http://{LOOPBACK}:{server.port}/"
        for place in f"{home}there", f"//{LOOPBACK}:{server.port}/there":
            with serving(redirects(status, place)) as front:
                assert get(f"http://{LOOPBACK}:{front.port}/") == b"hello"
    assert {request.split(b" ")[1] for request in server.requests} == {b"/there"}


def redirects(status: int, place: str) -> Script:
    return says(f"HTTP/1.1 {status} Moved\r\nLocation: {place}\r\n\r\n".encode())


@pytest.mark.parametrize(
    "place",
    [
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://2130706433:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://other.test:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "data:text/plain,hello",
    ],
)
def test_redirects_are_checked(place: str) -> None:
    """A host that is allowed may not send us to one that is not, or to another scheme."""
    resolve = named(front_test=LOOPBACK, other_test=LOOPBACK, localhost=LOOPBACK)
    with ExitStack() as stack:
        server = stack.enter_context(serving(says(OK)))
        there = redirects(302, place.replace("{port}", str(server.port)))
        front = stack.enter_context(serving(there))
        url = f"http://front.test:{front.port}/"
        assert refusal(url, settings("front.test"), resolve) == UNSAFE
    assert (front.connections, server.connections) == (1, 0)


def test_redirects_end() -> None:
    """A server that sends us round in circles is asked six times."""
    with serving(redirects(302, "/again")) as server:
        why = refusal(f"http://{LOOPBACK}:{server.port}/")
    assert why == "Failed to fetch URL: it was redirected more than 5 times"
    assert server.connections == 6


def test_allowed_hosts_are_the_only_ones() -> None:
    """With a list, a host on it may be private, in any case; any other is refused unasked."""
    asked = []

    def resolve(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return resolve_host(LOOPBACK, port)

    given = settings("Pictures.Internal")
    with serving(says(OK)) as server:
        for host in "pictures.internal", "PICTURES.INTERNAL", "pictures.internal.":
            assert get(f"http://{host}:{server.port}/", given, resolve) == b"hello"
        for host in "example.org", "pictures.internal.example.org", "internal", LOOPBACK:
            assert refusal(f"http://{host}:{server.port}/", given, resolve) == UNSAFE
    assert set(asked) == {"pictures.internal"}


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the host itself: a proxy would resolve its name anew."""
    with serving(says(OK)) as server, serving(says(OK)) as proxy:
        for name in "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY":
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
        assert get(f"http://{LOOPBACK}:{server.port}/") == b"hello"
    assert (server.connections, proxy.connections) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "its server answered 404 Not Found"),
        (b"HTTP/1.1 500 Oh\r\n\r\n", "its server answered 500 Oh"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "its server answered 304 Not Modified"),
        (b"HTTP/1.1 302 Found\r\n\r\n", "its server answered 302 Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", "it came in 'gzip', "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "it ended after 5 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello", ""),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", ""),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0-OpenSSH_9.6"),
        (b"\x00\xff\xfe" * 9, ""),
        (b"", "Remote end closed connection without response"),
    ],
)
def test_answers_that_are_no_file(answer: bytes, why: str) -> None:
    """Errors, halves of files, and what is no HTTP at all fail, and say why."""
    with serving(says(answer)) as server:
        said = refusal(f"http://{LOOPBACK}:{server.port}/")
    assert said.startswith(f"Failed to fetch URL: {why}")


def test_a_server_that_is_not_there() -> None:
    """A port that nobody listens on."""
    with serving(says(OK)) as server:
        port = server.port
    why = refusal(f"http://{LOOPBACK}:{port}/")
    assert why.startswith("Failed to fetch URL: ")
    assert "refused" in why


def test_more_than_is_declared_is_left_unread() -> None:
    """A body ends where its length says, whatever follows."""
    with serving(says(OK + b" and more")) as server:
        assert get(f"http://{LOOPBACK}:{server.port}/") == b"hello"


def test_a_file_may_have_as_many_bytes_as_the_limit() -> None:
    """The limit itself is allowed, declared or not; one byte more is not."""
    for head in b"Content-Length: 5", b"X: y":
        with serving(says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\nhello")) as server:
            url = f"http://{LOOPBACK}:{server.port}/"
            assert get(url, settings(LOOPBACK, max_fetch_bytes=5)) == b"hello"
            with pytest.raises(TooLarge, match="Content too large"):
                get(url, settings(LOOPBACK, max_fetch_bytes=4))


@pytest.mark.parametrize(
    "head", [b"Content-Length: 1099511627776", b"Transfer-Encoding: chunked", b"X: y"]
)
def test_a_file_that_is_too_large_is_not_read_to_its_end(
    head: bytes, gone: threading.Event
) -> None:
    """Endless, whether it says so or not, it is left at the limit."""
    chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"

    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        while not gone.is_set():
            connection.sendall(chunk)

    given = settings(LOOPBACK, max_fetch_bytes=1 << 20)
    with serving(script) as server, pytest.raises(TooLarge, match="Content too large"):
        get(f"http://{LOOPBACK}:{server.port}/", given)


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
    ],
)
def test_slow_servers_meet_the_deadline(
    start: bytes, endless: bytes, gone: threading.Event
) -> None:
    """One that says nothing, or a byte at a time: of its headers, of its body, in chunks."""
    given = settings(LOOPBACK, fetch_timeout_seconds=0.4)
    with serving(dribbles(start, endless, gone)) as server:
        began = time.monotonic()
        why = refusal(f"http://{LOOPBACK}:{server.port}/", given)
        took = time.monotonic() - began
        gone.set()
    assert why == "Failed to fetch URL: it took longer than 0.4 seconds"
    assert 0.39 < took < 5


def test_redirects_share_one_deadline(gone: threading.Event) -> None:
    """Each of them a little slow, they may not take longer together."""

    def slow(connection: socket.socket) -> None:
        gone.wait(0.15)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n")

    given = settings(LOOPBACK, fetch_timeout_seconds=0.4)
    with serving(slow) as server:
        why = refusal(f"http://{LOOPBACK}:{server.port}/", given)
    assert why == "Failed to fetch URL: it took longer than 0.4 seconds"


def test_a_slow_resolver_meets_the_deadline(gone: threading.Event) -> None:
    """The system's resolver may hang for half a minute; we do not wait for it."""

    def hanging(host: str, port: int) -> Sequence[Address]:
        gone.wait()
        return []

    given = settings(fetch_timeout_seconds=0.2)
    why = refusal("http://slow.example/", given, hanging)
    assert why == "Failed to fetch URL: it took longer than 0.2 seconds"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `secure.test`, its own authority, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "secure.test")])
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("secure.test"), x509.IPAddress(ipaddress.ip_address("::1"))]
    )
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - hour)
        .not_valid_after(now + hour)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For the length of a test, its authority is the only one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    pinned_connection._tls.cache_clear()
    yield
    pinned_connection._tls.cache_clear()


def secure_server(certificate: Path, names: list[str | None]) -> ssl.SSLContext:
    """A server's side of TLS that writes down the names it is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def asked(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        names.append(name)

    context.sni_callback = asked
    return context


@pytest.mark.usefixtures("trusted")
def test_https_goes_to_the_checked_address_under_the_name_of_the_host(certificate: Path) -> None:
    """The server is asked for its name, and its certificate is for that, not for the address."""
    names: list[str | None] = []
    with serving(says(OK), secure_server(certificate, names)) as server:
        url = f"https://secure.test:{server.port}/"
        given = settings("secure.test", LOOPBACK, "wrong.test")
        resolve = named(secure_test=LOOPBACK, wrong_test=LOOPBACK)
        assert get(url, given, resolve) == b"hello"
        assert names == ["secure.test"]
        for host in LOOPBACK, "wrong.test":
            why = refusal(f"https://{host}:{server.port}/", given)
            assert why.startswith("Failed to fetch URL: ")
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(
            f"https://wrong.test:{server.port}/", given, resolve
        )
    assert len(server.requests) == 1


def test_an_unknown_authority_is_not_trusted(certificate: Path) -> None:
    """A certificate that anybody could have made."""
    with serving(says(OK), secure_server(certificate, [])) as server:
        url = f"https://secure.test:{server.port}/"
        why = refusal(url, settings("secure.test"), named(secure_test=LOOPBACK))
    assert "CERTIFICATE_VERIFY_FAILED" in why
    assert not server.requests


@pytest.mark.usefixtures("trusted")
def test_slow_servers_meet_the_deadline_over_tls_too(
    certificate: Path, gone: threading.Event
) -> None:
    """During the handshake, and a byte of the body at a time."""
    given = settings("secure.test", fetch_timeout_seconds=0.5)
    resolve = named(secure_test=LOOPBACK)
    body = dribbles(b"HTTP/1.1 200 OK\r\n\r\n", b"y", gone)
    for script, tls in (body, secure_server(certificate, [])), (dribbles(b"", b"", gone), None):
        with serving(script, tls) as server:
            began = time.monotonic()
            why = refusal(f"https://secure.test:{server.port}/", given, resolve)
            assert time.monotonic() - began < 5
        assert why == "Failed to fetch URL: it took longer than 0.5 seconds"


def test_plain_http_where_tls_was_expected(certificate: Path) -> None:
    """A server without TLS behind https."""
    with serving(says(OK)) as server:
        why = refusal(f"https://{LOOPBACK}:{server.port}/")
    assert why.startswith("Failed to fetch URL: [SSL")
