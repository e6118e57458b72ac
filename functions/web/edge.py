"""What surrounds every request, whatever route it takes.

A leading double slash means the same as one; of a query parameter that is repeated the first
counts; HEAD is answered as GET (the server drops the body); where tokens are asked for, nothing is
read from whom has none; bodies over the limit are refused, declared ones before a byte is read;
nothing ends in a 500.
"""

import hmac
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import HmaError, TooLarge, Unauthorized
from functions.table import open_paths
from functions.web.dependencies import services_of
from functions.web.errors import answer_to, unforeseen

_OPEN = open_paths()
_TOO_LARGE = "The data value transmitted exceeds the capacity limit."


class Edge:
    """The outermost middleware, inside Starlette's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, scope = False, _tidied(scope)

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            _check_token(scope)
            await self.app(scope, _limited(scope, receive), watched)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            if started:
                raise
            answer = (
                answer_to(error, scope["path"])
                if isinstance(error, HmaError)
                else unforeseen(scope["method"], scope["path"], error)
            )
            await answer(scope, receive, send)


def _tidied(scope: Scope) -> Scope:
    path = "/" + scope["path"].lstrip("/")
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    query = _without_repetitions(scope["query_string"])
    return {**scope, "path": path, "method": method, "query_string": query}


def _without_repetitions(query: bytes) -> bytes:
    first: dict[bytes, bytes] = {}
    for part in query.split(b"&"):
        name = unquote_to_bytes(part.partition(b"=")[0].replace(b"+", b" "))
        first.setdefault(name, part)
    return b"&".join(first.values())


def _check_token(scope: Scope) -> None:
    """Let in whom the settings let in. An empty bearer is none.

    Raises:
        Unauthorized: no token that we know, where one is asked for.
    """
    if scope["path"] in _OPEN:
        return
    tokens = services_of(scope["app"]).settings.api_tokens
    if not tokens:
        return
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
    matches = [hmac.compare_digest(token.strip(), known.encode()) for known in tokens]
    if scheme.lower() != b"bearer" or not any(matches):
        raise Unauthorized("This needs a token that the server knows, as `Authorization: Bearer …`")


def _limited(scope: Scope, receive: Receive) -> Receive:
    """`receive`, counting; a body that says it is too large is not even begun.

    Raises:
        TooLarge: at once if the length is declared, else when the limit is passed.
    """
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"0")
    if declared == b"0" and b"transfer-encoding" not in headers:
        return receive
    limit = services_of(scope["app"]).settings.max_upload_bytes
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(_TOO_LARGE)
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLarge(_TOO_LARGE)
        return message

    return counted
