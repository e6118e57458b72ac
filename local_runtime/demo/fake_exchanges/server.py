"""The HTTP server that all fake exchanges are, and the faults that it can be armed with."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from typing import ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from local_runtime.demo.fake_exchanges.ledger import Ledger


class Fault(Enum):
    """What can go wrong with the answer to a request for a page."""

    TIME_OUT = "it never comes"
    DROP = "the connection ends in the middle of it"
    THROTTLE = "it is a 429 with Retry-After"
    ERROR = "it is a 503 with Retry-After"
    REFUSE = "it says that the credentials have expired"
    MALFORMED = "it is cut off, and says that this is all"
    ODD = "it is well-formed and of another shape"
    EMPTY = "it has no records, and a next page"
    REPEAT = "its next page is itself"


@dataclass(frozen=True)
class Reported:
    """An opinion that the exchange was told: about which of its things, and in its own word."""

    about: str
    opinion: str


@dataclass(frozen=True)
class Request:
    """What was asked; the names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> Mapping[str, str]:
        """The body as the fields of a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class FakeAnswer:
    """What is answered."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeExchange(ABC):
    """Serves one ledger on a free port of loopback while it is entered.

    Attributes:
        NAME: of the exchange that it speaks like.
        ledger: what it serves; may be changed at any time.
        page_size: the most records of a page.
        asked: method and path with query of every request, in their order.
        pages: those of them that asked for a page.
        reported: the opinions it was told.
        url: where it is, once entered, as the exchange's base URL.
    """

    NAME: ClassVar[str]
    PREFIX: ClassVar[str] = ""

    def __init__(self, ledger: Ledger | None = None, page_size: int = 1000) -> None:
        self.ledger = ledger or Ledger()
        self.page_size = page_size
        self.asked: list[str] = []
        self.pages: list[str] = []
        self.reported: list[Reported] = []
        self.url = ""
        self._faults: list[tuple[Fault, float]] = []
        self._skip = 0
        self._lock = threading.Lock()
        self._ending = threading.Event()

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """What it accepts, as the exchange's credentials in JSON."""

    @abstractmethod
    def config(self) -> dict[str, object]:
        """What an exchange of it is configured with, beyond its name, in JSON."""

    @abstractmethod
    def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
        """What the exchange says; of faults, only EMPTY and REPEAT are left to it."""

    @abstractmethod
    def refusal(self) -> FakeAnswer:
        """What it says to credentials that have expired."""

    @abstractmethod
    def asks_for_page(self, request: Request) -> bool:
        """Whether faults are for this request."""

    def arm(self, fault: Fault, times: int = 1, skip: int = 0, seconds: float = 1.0) -> None:
        """Let the next pages fail.

        Args:
            times: how many.
            skip: how many pages come first.
            seconds: to wait before TIME_OUT ends the connection; what THROTTLE asks for.
        """
        with self._lock:
            self._skip = skip
            self._faults = [(fault, seconds)] * times

    @property
    def armed(self) -> bool:
        """Whether faults are still to come."""
        with self._lock:
            return bool(self._faults)

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}{self.PREFIX}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next_fault(self, request: Request) -> tuple[Fault | None, float]:
        with self._lock:
            self.asked.append(f"{request.method} {request.path}?{_query(request)}")
            if not self.asks_for_page(request):
                return None, 0.0
            self.pages.append(self.asked[-1])
            if not self._faults:
                return None, 0.0
            if self._skip:
                self._skip -= 1
                return None, 0.0
            return self._faults.pop(0)

    def _answer_request(self, request: Request) -> FakeAnswer | None:
        """The answer, None for none at all."""
        fault, seconds = self._next_fault(request)
        if fault is Fault.TIME_OUT:
            self._ending.wait(seconds)
            return None
        if fault is not None and fault in _INSTEAD:
            return replace(_INSTEAD[fault], headers={"Retry-After": f"{seconds:g}"})
        answer = self.refusal() if fault is Fault.REFUSE else self.answer(request, fault)
        if fault not in (Fault.MALFORMED, Fault.DROP):
            return answer
        half = answer.body[: len(answer.body) // 2]
        length = len(half if fault is Fault.MALFORMED else answer.body)
        return replace(answer, body=half, headers={"Content-Length": str(length)})


_INSTEAD = MappingProxyType(
    {
        Fault.THROTTLE: FakeAnswer(429, b"slow down", "text/plain"),
        Fault.ERROR: FakeAnswer(503, b"<html>maintenance</html>", "text/html"),
        Fault.ODD: FakeAnswer(200, b'["not", "what", "was", "asked", "for"]'),
    }
)


def _query(request: Request) -> str:
    return "&".join(f"{name}={value}" for name, value in request.query.items())


class _Server(ThreadingHTTPServer):
    """A server that ends the connections which clients keep, when it ends."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, exchange: FakeExchange) -> None:
        self.exchange = exchange
        self.handlers: set[_Handler] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_close(self) -> None:
        super().server_close()
        for handler in list(self.handlers):
            handler.hang_up()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.handlers.add(self)

    def finish(self) -> None:
        self.server.handlers.discard(self)
        with suppress(OSError):
            super().finish()

    def hang_up(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(2)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        answer = self.server.exchange._answer_request(request)
        self.close_connection = answer is None or "Content-Length" in answer.headers
        if answer is None:
            return
        headers = {"Content-Length": str(len(answer.body)), "Content-Type": answer.content_type}
        with suppress(ConnectionError):  # whoever has waited enough hangs up
            self.send_response(answer.status)
            for name, value in (headers | dict(answer.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()

    do_POST = do_PUT = do_GET  # noqa: N815  # the names that the base class looks for

    def log_message(self, *_: object) -> None:
        pass
