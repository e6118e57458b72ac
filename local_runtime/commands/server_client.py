"""Talks to a running server over HTTP, as any client of the contract would."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from core.errors import (
    BadInput,
    Forbidden,
    HmaError,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from core.settings import Settings

_ERRORS: dict[int, type[HmaError]] = {
    error.status: error for error in (BadInput, Forbidden, NotFound, TooLarge, Unauthorized)
}
READY = "I-AM-ALIVE"
"""What `/status` says of a server that answers lookups."""

_TIMEOUT = (5, 120)
"""Seconds to connect, and to wait for an answer: a large video takes its time to be hashed."""


class ServerClient:
    """The server at `url`. Usable by many threads, and sees what it has published.

    Args:
        tokens: those that the server knows; the first is sent.

    Every method raises Unavailable when nothing there answers, and the error that the server
    reported when it refuses.
    """

    def __init__(self, url: str, tokens: Sequence[str] = ()) -> None:
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy for the outside world does not know this server
        if tokens:
            self._http.headers["Authorization"] = f"Bearer {tokens[0]}"
        self._published = ""  # the snapshots that a lookup must not be older than

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._http.close()

    def status(self) -> str:
        """What `/status` says: `I-AM-ALIVE` when lookups are answered, else why not."""
        return self._send("GET", "/status").text.strip()

    def await_ready(self, seconds: float = 60.0) -> None:
        """Wait until the server answers lookups; Unavailable with its reason when it does not."""
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while True:
            try:
                state = self.status()
            except Unavailable as error:
                state = error.message
            if state == READY:
                return
            if time.monotonic() > deadline:
                raise Unavailable(f"{self.url} is not ready after {seconds:.0f} s: {state}")
            pause.wait(0.05)

    def index_status(self) -> dict[str, dict[str, Any]]:
        """For each signal type `built_to`, `present` and `size`."""
        return self._object("GET", "/m/index/status")

    def publish(self, *, rebuild: bool = False) -> dict[str, int]:
        """Publish what the catalog holds; the number of each signal type's newest snapshot.

        Args:
            rebuild: make every index anew from the whole catalog.
        """
        query = {"rebuild": "true"} if rebuild else {}
        numbers = self._object("POST", "/publish", params=query)
        self._published = ", ".join(f"{name}={number}" for name, number in numbers.items())
        return numbers

    def banks(self) -> list[dict[str, Any]]:
        """Every bank as `name` and `matching_enabled_ratio`."""
        banks: list[dict[str, Any]] = self._json("GET", "/c/banks")
        return banks

    def bank(self, name: str) -> dict[str, Any]:
        """The bank of this name."""
        return self._object("GET", f"/c/bank/{quote(name, safe='')}")

    def create_bank(self, name: str, ratio: float = 1.0) -> dict[str, Any]:
        """A new bank, which takes part in `ratio` of all lookups."""
        return self._object("POST", "/c/banks", json={"name": name, "enabled_ratio": ratio})

    def add(self, bank: str, file: Path, kind: str, note: str | None = None) -> dict[str, Any]:
        """Bank a file of content type `kind`: the `id` of the new content, and its `signals`."""
        fields = {} if note is None else {"note": note}
        return self._upload(f"/c/bank/{quote(bank, safe='')}/content", file, kind, data=fields)

    def match(self, file: Path, kind: str) -> list[dict[str, Any]]:
        """What a file is a copy of, in every bank: `signal_type`, `bank`, `bank_content_id`, …"""
        query = {"min_snapshot": self._published, "include_metadata": "true"}
        answer = self._upload("/m/lookup", file, kind, params=query)
        return [
            {"signal_type": signal_type, "bank": bank, **match}
            for signal_type, banks in answer.items()
            for bank, matches in banks.items()
            for match in matches
        ]

    def lookup(self, signal_type: str, signal: str) -> dict[str, Any]:
        """What a signal matches, by bank."""
        query = {"signal_type": signal_type, "signal": signal, "min_snapshot": self._published}
        return self._object("GET", "/m/lookup", params=query)

    def set_credentials(self, api: str, credentials: dict[str, str]) -> None:
        """Set what an exchange API is asked with."""
        self._json("POST", f"/c/exchanges/api/{api}", json={"credential_json": credentials})

    def create_exchange(self, bank: str, api: str, config: dict[str, Any]) -> None:
        """A new exchange, and the bank that it feeds, of the same name."""
        self._json("POST", "/c/exchanges", json={"bank": bank, "api": api, "api_json": config})

    def fetch(self, exchange: str, seconds: float = 60.0) -> dict[str, Any]:
        """Fetch an exchange for so long: whether it is `up_to_date`, `error`, and more."""
        query: dict[str, str | float] = {"exchange": exchange, "seconds": seconds}
        report: dict[str, Any] = self._object("POST", "/fetch", params=query)["exchanges"][exchange]
        return report

    def exchange_progress(self, exchange: str) -> dict[str, Any]:
        """How much of an exchange is `fetched`, and whether lookups know all of it: `ready`."""
        return self._object("GET", f"/c/exchange/{exchange}/progress")

    def _upload(self, path: str, file: Path, kind: str, **more: Any) -> dict[str, Any]:
        try:
            with file.open("rb") as body:
                return self._object("POST", path, files={kind: (file.name, body)}, **more)
        except BadInput as error:
            if error.message.endswith("invalid PDQ hash"):
                raise BadInput("has too little detail for PDQ to tell it from others") from error
            raise

    def _object(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._json(method, path, **body)
        return answer

    def _json(self, method: str, path: str, **body: Any) -> Any:
        response = self._send(method, path, **body)
        try:
            answer = response.json()
        except ValueError as error:
            raise Unavailable(
                f"{self.url}{path} answered {response.status_code} and no JSON: "
                "is that an hma server?"
            ) from error
        if response.ok:
            return answer
        message = answer.get("message") if isinstance(answer, dict) else str(answer)
        raise _ERRORS.get(response.status_code, Unavailable)(message)

    def _send(self, method: str, path: str, **body: Any) -> requests.Response:
        try:
            return self._http.request(method, self.url + path, timeout=_TIMEOUT, **body)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Unavailable(
                f"nothing answers at {self.url}. Start a server with `hma serve`, or name one "
                "that runs with --url or HMA_URL"
            ) from error
        except requests.RequestException as error:
            raise BadInput(f"{self.url} is no URL of a server: {error}") from error


def connect(url: str | None) -> ServerClient:
    """The server at `url`, else the one that HMA_URL names, with the token of HMA_API_TOKENS."""
    settings = Settings.from_env()
    return ServerClient(url or settings.url, settings.api_tokens)
