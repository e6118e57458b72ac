"""Fetching what a URL leads to, for clients who may choose that URL to reach what they should not.

Only hosts with public addresses are fetched from, unless the settings list the hosts allowed.
A host's name is resolved once for each request, every address that it has is checked, and the
connection goes to exactly one of those: a name that changes its mind in between gains nothing.
Redirects are followed by hand, each checked in the same way. Proxies of the environment are not
used. One deadline holds for all of it, and a file that is too large is not read to its end.

References to objects in buckets are read with the same limits from where the settings say, which
may be a private address; see `core.download.bucket`.
"""

import functools
import http.client
import ipaddress
import re
import socket
import ssl
import tempfile
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeAlias
from urllib.parse import quote, urljoin, urlsplit

from core.download.bucket import is_reference, signed
from core.errors import BadInput, StoreUnavailable, TooLarge
from core.settings import Settings

MOST_REDIRECTS = 5

Address: TypeAlias = tuple[int, int, int, str, Any]
"""As `socket.getaddrinfo` returns it; last the address and port, in the form of its family."""

Resolve: TypeAlias = Callable[[str, int], Sequence[Address]]

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")

# Global by the registry, but a door to other networks or to the machine's own cloud.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's own services, as seen from its machines
        "192.0.0.0/24",  # protocol assignments; Oracle's instance metadata among them
        "192.88.99.0/24",  # relays to 6to4
        "2001::/23",  # protocol assignments: Teredo, which holds an IPv4 address, and others
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # documentation
    )
)


@dataclass(frozen=True)
class Fetched:
    """What a URL led to.

    Attributes:
        body: its content, at the beginning; in a file once it is large, which closing it deletes.
        content_type: the `Content-Type` that its server gave, if any.
    """

    body: IO[bytes]
    content_type: str | None


@dataclass(frozen=True)
class _Target:
    """One request: where to, in a form that has been checked."""

    secure: bool
    host: str
    port: int
    path: str


def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of a host, by the system's resolver."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def fetch(url: str, settings: Settings, resolve: Resolve = resolve) -> Fetched:
    """The file behind `url`, or the object that it refers to.

    Raises:
        BadInput: `url` is none, may not be fetched, or cannot be.
        TooLarge: the file has more bytes than the settings allow.
        StoreUnavailable: the object store did not answer, or not in time.
        Misconfigured: the settings allow an object's bucket, but not to read it.
    """
    deadline = time.monotonic() + settings.fetch_timeout_seconds
    with ExitStack() as undo:
        body = undo.enter_context(tempfile.SpooledTemporaryFile(max_size=1 << 20))
        if is_reference(url):
            content_type = _read(signed(url, settings), settings, resolve, deadline, body)
        else:
            content_type = _download(url, settings, resolve, deadline, body)
        body.seek(0)
        undo.pop_all()  # from here on it is the caller's to close
        return Fetched(body, content_type)


def _download(
    url: str, settings: Settings, resolve: Resolve, deadline: float, body: IO[bytes]
) -> str | None:
    """What `url` leads to, into `body`; its content type."""
    try:
        for _ in range(MOST_REDIRECTS + 1):
            target = _parsed(url)
            addresses = _checked(target, settings, resolve, deadline)
            with _asked(target, addresses, deadline) as response:
                location = response.headers["Location"]
                if response.status in (301, 302, 303, 307, 308) and location:
                    url = urljoin(url, location)
                    continue
                _check_answer(response)
                _save(response, settings.max_fetch_bytes, body)
                return response.headers["Content-Type"]
    except TimeoutError as error:
        raise _failed(_too_long(settings)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _failed(str(error) or type(error).__name__) from error
    raise _failed(f"it was redirected more than {MOST_REDIRECTS} times")


def _read(
    url: str, settings: Settings, resolve: Resolve, deadline: float, body: IO[bytes]
) -> str | None:
    """As `_download`, of an object, by a URL that is signed and must not be told to anyone."""
    try:
        target = _parsed(url)
        addresses = _resolved(target, resolve, deadline)
        with _asked(target, addresses, deadline) as response:
            if response.status in (403, 404):  # which of them, depends on other permissions
                raise _failed("there is no such object, or it may not be read")
            if response.status // 100 in (3, 5):
                hint = "" if response.status >= 500 else ": is AWS_REGION that of the bucket?"
                raise StoreUnavailable(f"the bucket's store answered {response.status}{hint}")
            _check_answer(response)
            _save(response, settings.max_fetch_bytes, body)
            return response.headers["Content-Type"]
    except TimeoutError as error:
        raise StoreUnavailable(f"the object cannot be read: {_too_long(settings)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = type(error).__name__
        raise StoreUnavailable(f"the object cannot be read: {why}") from error


@contextmanager
def _asked(
    target: _Target, addresses: Sequence[Address], deadline: float
) -> Iterator[http.client.HTTPResponse]:
    """What the server at one of `addresses` answers."""
    with closing(_Connection(target, addresses, deadline)) as connection:
        connection.request("GET", target.path, headers={"User-Agent": "hma", "Accept": "*/*"})
        with connection.getresponse() as response:
            yield response


def _too_long(settings: Settings) -> str:
    return f"it took longer than {settings.fetch_timeout_seconds:g} seconds"


def _check_answer(response: http.client.HTTPResponse) -> None:
    if not 200 <= response.status < 300:
        raise _failed(f"its server answered {response.status} {response.reason}")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise _failed(f"it came in {encoding!r}, though asked for as it is")


def _save(response: http.client.HTTPResponse, limit: int, body: IO[bytes]) -> None:
    declared = response.length
    if declared is not None and declared > limit:
        raise TooLarge("Content too large")
    expected = limit + 1 if declared is None else declared
    received = 0
    # read1 and not read: it returns what has come, and does not wait until there is more of it
    while received < expected and (chunk := response.read1(min(1 << 16, expected - received))):
        body.write(chunk)
        received += len(chunk)
    if received > limit:
        raise TooLarge("Content too large")
    if declared is not None and received < declared:
        raise ConnectionError(f"it ended after {received} of {declared} bytes")


def _parsed(url: str) -> _Target:
    """What `url` asks for.

    Raises:
        BadInput: it is none, has another scheme, or has a user's name or password in it.
    """
    if re.search(r"[\x00-\x20\x7f\\]", url):  # some readers drop these, others stop at them
        raise _unsafe()
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    except ValueError as error:
        raise _unsafe() from error
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or port == 0:
        raise _unsafe()
    secure = parts.scheme == "https"
    path += f"?{query}" if query else ""
    return _Target(secure, host, port or (443 if secure else 80), path)


def _host(name: str) -> str:
    """`name` in ASCII: an IPv6 address, or labels with dots, among them IPv4 in all its forms."""
    if ":" in name:
        if "%" in name:
            raise ValueError("an address with a zone is of this machine")
        return str(ipaddress.IPv6Address(name))
    ascii_name = name.encode("idna").decode().lower().rstrip(".")
    if any(unicodedata.category(character) == "Cn" for character in name):
        raise ValueError("characters that do not exist")  # the codec lets them pass
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", ascii_name):
        raise ValueError("not a name of a host")
    return ascii_name


def _checked(
    target: _Target, settings: Settings, resolve: Resolve, deadline: float
) -> Sequence[Address]:
    """The addresses of `target`, all of which may be fetched from."""
    allowed = {name.lower().rstrip(".") for name in settings.allowed_hostnames}
    if allowed and target.host not in allowed:
        raise _unsafe()
    addresses = _resolved(target, resolve, deadline)
    if not allowed and not all(is_public(address[4][0]) for address in addresses):
        raise _unsafe()
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is of the public Internet, and holds no other address within it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast:
        return False
    if ip.version == 6 and ip not in _PUBLIC_V6:  # as mapped, translated, site-local ones are
        return False
    return not any(ip in network for network in _REFUSED if network.version == ip.version)


def _resolved(target: _Target, resolve: Resolve, deadline: float) -> Sequence[Address]:
    """Resolved in a thread of its own: the system's resolver knows no deadline."""
    answer: Future[Sequence[Address]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(target.host, target.port))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        addresses = answer.result(timeout=_left(deadline))
    except socket.gaierror as error:
        raise ConnectionError(f"there is no host {target.host!r}") from error
    if not addresses:
        raise ConnectionError(f"there is no host {target.host!r}")
    return addresses


def _left(deadline: float) -> float:
    """Seconds until `deadline`, which has not passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class _Connection(http.client.HTTPConnection):
    """A connection to one of the given addresses, whatever the name of the host says by now."""

    def __init__(self, target: _Target, addresses: Sequence[Address], deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443 if target.secure else 80  # which the Host header leaves out
        self._target = target
        self._addresses = addresses
        self._deadline = deadline

    def connect(self) -> None:
        plain = self._connected()
        self.sock = self._secured(plain) if self._target.secure else plain

    def _connected(self) -> "_Socket":
        failures: list[OSError] = []
        for address in self._addresses:
            try:
                return self._connected_to(address)
            except OSError as error:
                failures.append(error)
        raise failures[-1]

    def _connected_to(self, address: Address) -> "_Socket":
        family, kind, protocol, _, place = address
        plain = _Socket(family, kind, protocol)
        plain.deadline = self._deadline
        try:
            plain.settimeout(_left(self._deadline))
            plain.connect(place)
        except OSError:
            plain.close()
            raise
        return plain

    def _secured(self, plain: "_Socket") -> "_SecureSocket":
        plain.settimeout(_left(self._deadline))
        try:
            secure = _tls().wrap_socket(plain, server_hostname=self._target.host)
        except OSError:
            plain.close()
            raise
        assert isinstance(secure, _SecureSocket)
        secure.deadline = self._deadline
        return secure


class _Socket(socket.socket):
    """A socket whose reads end at `deadline`, however few bytes come at a time."""

    deadline: float

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_left(self.deadline))
        return super().recv_into(*args)


class _SecureSocket(ssl.SSLSocket):
    """The same over TLS."""

    deadline: float

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_left(self.deadline))
        return super().recv_into(*args)


@functools.cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()  # takes 20 ms to read the authorities
    context.sslsocket_class = _SecureSocket
    return context


def _unsafe() -> BadInput:
    return BadInput("Invalid or unsafe URL provided")


def _failed(why: str) -> BadInput:
    return BadInput(f"Failed to fetch URL: {why}")
