"""What surrounds every request, whatever route it takes.

A leading double slash means the same as one; HEAD is answered as GET (the server drops the body);
bodies over the limit are refused, declared ones before a byte is read; nothing ends in a 500.
"""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import HmaError, TooLarge
from functions.web.deployed import services_of
from functions.web.errors import form_a, unforeseen

_TOO_LARGE = "The data value transmitted exceeds the capacity limit."


class Edge:
    """The outermost middleware, inside Starlette's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(_tidied(scope), _limited(scope, receive), watched)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            if started:
                raise
            answer = (
                form_a(error)
                if isinstance(error, HmaError)
                else unforeseen(scope["method"], scope["path"], error)
            )
            await answer(scope, receive, send)


def _tidied(scope: Scope) -> Scope:
    path = "/" + scope["path"].lstrip("/")
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "path": path, "method": method}


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
