"""Fetching what a URL leads to, for clients who may choose that URL to reach what they should not.

Only hosts with public addresses are fetched from, unless the settings list the hosts allowed.
A host's name is resolved once for each request, every address that it has is checked, and the
connection goes to exactly one of those: a name that changes its mind in between gains nothing.
Redirects are followed by hand, each checked in the same way. Proxies of the environment are not
used. One deadline holds for all of it, and a file that is too large is not read to its end.

References to objects in buckets are read with the same limits from where the settings say, which
may be a private address; see `core.download.bucket`.
"""

import http.client
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import urljoin

from core.download.address import (
    Address,
    Resolve,
    find_allowed_addresses,
    resolve_addresses,
    resolve_host,
)
from core.download.bucket import is_reference, sign_reference
from core.download.pinned_connection import PinnedConnection
from core.download.target import Target, parse_target
from core.errors import BadInput, StoreUnavailable, TooLarge
from core.settings import Settings

MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Fetched:
    """What a URL led to.

    Attributes:
        body: its content, at the beginning; in a file once it is large, which closing it deletes.
        content_type: the `Content-Type` that its server gave, if any.
    """

    body: IO[bytes]
    content_type: str | None


def fetch_url(url: str, settings: Settings, resolve: Resolve = resolve_host) -> Fetched:
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
            signed_url = sign_reference(url, settings)
            content_type = _download_object(signed_url, settings, resolve, deadline, body)
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
            target = parse_target(url)
            addresses = find_allowed_addresses(target, settings, resolve, deadline)
            with _request(target, addresses, deadline) as response:
                location = response.headers["Location"]
                if response.status in (301, 302, 303, 307, 308) and location:
                    url = urljoin(url, location)
                    continue
                _check_answer(response)
                _save(response, settings.max_fetch_bytes, body)
                return response.headers["Content-Type"]
    except TimeoutError as error:
        raise _fetch_error(_describe_timeout(settings)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _fetch_error(str(error) or type(error).__name__) from error
    raise _fetch_error(f"it was redirected more than {MOST_REDIRECTS} times")


def _download_object(
    url: str, settings: Settings, resolve: Resolve, deadline: float, body: IO[bytes]
) -> str | None:
    """As `_download`, of an object, by a URL that is signed and must not be told to anyone."""
    try:
        target = parse_target(url)
        addresses = resolve_addresses(target, resolve, deadline)
        with _request(target, addresses, deadline) as response:
            if response.status in (403, 404):  # which of them, depends on other permissions
                raise _fetch_error("there is no such object, or it may not be read")
            if response.status // 100 in (3, 5):
                hint = "" if response.status >= 500 else ": is AWS_REGION that of the bucket?"
                raise StoreUnavailable(f"the bucket's store answered {response.status}{hint}")
            _check_answer(response)
            _save(response, settings.max_fetch_bytes, body)
            return response.headers["Content-Type"]
    except TimeoutError as error:
        raise StoreUnavailable(
            f"the object cannot be read: {_describe_timeout(settings)}"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = type(error).__name__
        raise StoreUnavailable(f"the object cannot be read: {why}") from error


@contextmanager
def _request(
    target: Target, addresses: Sequence[Address], deadline: float
) -> Iterator[http.client.HTTPResponse]:
    """What the server at one of `addresses` answers."""
    with closing(PinnedConnection(target, addresses, deadline)) as connection:
        connection.request("GET", target.path, headers={"User-Agent": "hma", "Accept": "*/*"})
        with connection.getresponse() as response:
            yield response


def _describe_timeout(settings: Settings) -> str:
    return f"it took longer than {settings.fetch_timeout_seconds:g} seconds"


def _check_answer(response: http.client.HTTPResponse) -> None:
    if not 200 <= response.status < 300:
        raise _fetch_error(f"its server answered {response.status} {response.reason}")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise _fetch_error(f"it came in {encoding!r}, though asked for as it is")


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


def _fetch_error(why: str) -> BadInput:
    return BadInput(f"Failed to fetch URL: {why}")
