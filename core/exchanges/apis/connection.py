"""HTTP with an exchange: bounded in time and size, tried again when that helps, and discreet.

What we are known by goes into headers and never into a URL, because URLs end up in errors and
logs. No error quotes a URL or what a library raised, and what a server says is quoted without
our secrets. Redirects are not followed: they would take the headers elsewhere.
"""

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import ClassVar, Self, TypeVar
from urllib.parse import quote, quote_plus

import requests
import urllib3

from core.errors import ExchangeRefused, ExchangeUnavailable

T = TypeVar("T")

ATTEMPTS = 3
LONGEST_WAIT = 10.0
"""Seconds. Who wants us to wait longer is left alone until the next fetch."""

LARGEST_PAGE = 64 << 20

Ask = Callable[[int], Mapping[str, str | int]]
"""The query of each attempt, from 0: a page that fails may be asked for as a smaller one."""


class Remote:
    """What the exchanges that are asked over HTTP have in common.

    Attributes:
        BASE_URL: where it is asked, if not where it always is; without a slash at the end.
        TIMEOUT: seconds that it may be silent.
    """

    BASE_URL: ClassVar[str] = ""
    TIMEOUT: ClassVar[float] = 30.0

    @classmethod
    def at(cls, url: str, timeout: float = TIMEOUT) -> type[Self]:
        """The same exchange elsewhere: behind a gateway, or one that only looks like it."""
        changed = {"BASE_URL": url.rstrip("/"), "TIMEOUT": timeout, "__module__": cls.__module__}
        return type(cls.__name__, (cls,), changed)


class Connection:
    """Asks one server, under the name of its exchange in errors.

    Args:
        secrets: what must not be read anywhere, should the server repeat it.
        timeout: seconds without a byte after which an attempt is given up; a whole answer may
            take four times as long.
        passes: whether an error with this body passes, though its status says that it stays.
    """

    def __init__(
        self,
        name: str,
        base: str,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        timeout: float,
        passes: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        self.name = name
        self._passes = passes
        self.headers = {"User-Agent": "hma", "Accept-Encoding": "identity", **headers}
        self._base = base
        self._secrets = [
            form
            for secret in secrets
            if secret
            for form in (secret, quote(secret), quote_plus(secret))
        ]
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = lambda request: request  # nothing from a .netrc file

    def get(self, path: str, ask: Ask, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer.

        Args:
            read: raises ValueError if it is not what it should be.

        Raises:
            ExchangeUnavailable: no attempt succeeded.
            ExchangeRefused: none ever will.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._read(self._send("GET", path, params=ask(attempt)), read)
            except ExchangeUnavailable as error:
                if attempt == ATTEMPTS - 1 or error.wait > LONGEST_WAIT:
                    raise
                time.sleep(error.wait or 0.1 * 2**attempt * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

    def post(self, path: str, read: Callable[[bytes], T], **body: object) -> T:
        """As `get`, once: whether to repeat what changes something is the caller's to say.

        Args:
            body: `data` or `json`, as requests takes it.
        """
        return self._read(self._send("POST", path, **body), read)

    def put(self, path: str, data: bytes, content_type: str) -> None:
        """As `post`, for what has no answer."""
        self._send("PUT", path, data=data, headers={"Content-Type": content_type})

    def _read(self, body: bytes, read: Callable[[bytes], T]) -> T:
        try:
            return read(body)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            why = self._redact(f"{type(error).__name__}: {error}")
            raise ExchangeUnavailable(f"{self.name} sent a malformed page ({why})") from None

    def _send(self, method: str, path: str, **options: object) -> bytes:
        deadline = time.monotonic() + 4 * self._timeout
        headers = {**self.headers, **options.pop("headers", {})}  # type: ignore[dict-item]
        try:
            with self._session.request(
                method,
                self._base + path,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                **options,  # type: ignore[arg-type]
            ) as response:
                body = self._body(response, deadline)
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            raise ExchangeUnavailable(f"{self.name} did not answer in time") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            what = type(error).__name__
            raise ExchangeUnavailable(f"{self.name} cannot be reached ({what})") from None
        self._check(response, body)
        return body

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        parts, size = [], 0
        # read1 and not read: it returns what has come, so that the deadline is looked at
        while part := response.raw.read1(1 << 16, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > LARGEST_PAGE:
                raise ExchangeUnavailable(f"{self.name} sent more than {LARGEST_PAGE} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
        return b"".join(parts)

    def _check(self, response: requests.Response, body: bytes) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        explanation = self._redact(body[:2000].decode(errors="replace"))
        what = f"{self.name} answered {status}" + (f": {explanation}" if explanation else "")
        if status in (408, 429) or not 400 <= status < 500 or self._passes(body):
            raise ExchangeUnavailable(what, _seconds(response.headers.get("Retry-After", "")))
        raise ExchangeRefused(what)

    def _redact(self, text: str) -> str:
        """`text` on one line, short and without our secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return " ".join(text.split())[:300]


class Trail:
    """Notices that a server leads us in a circle, however long, remembering two pages.

    Brent's method: the mark is moved to the current page at each power of two.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: str | None = None
        self._mark: str | None = None
        self._steps = 0
        self._until = 1

    def follow(self, page: str) -> str:
        """`page`, unless it has been seen.

        Raises:
            ExchangeUnavailable: it has.
        """
        if page in (self._last, self._mark):
            raise ExchangeUnavailable(f"{self._name} repeats its pages without end")
        self._last = page
        self._steps += 1
        if self._steps == self._until:
            self._mark, self._steps, self._until = page, 0, 2 * self._until
        return page


def _seconds(retry_after: str) -> float:
    """A `Retry-After` header, either of its forms; 0 if it is neither."""
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0
