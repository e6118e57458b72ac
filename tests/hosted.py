"""An app on a port, in a thread of the test, which may hold up and count what lies beneath it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import APIRouter
from starlette.types import ASGIApp

from core.services import Services
from functions.web.app import build
from tests.waiting import until


@contextmanager
def hosted(app: ASGIApp) -> Iterator[str]:
    """The address of `app`, until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, backlog=256)
    )
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        running = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="hosted", daemon=True
        )
        running.start()
        try:
            until(lambda: server.started)
            host, port = listening.getsockname()
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            running.join(20)
            assert not running.is_alive(), "the server does not end: something still holds it up"


def app_of(services: Services, *routers: APIRouter) -> ASGIApp:
    """These routers over the parts of a test's own deployment."""
    return build(*routers, services=services)
