"""One request, followed through this project's files and names as it is answered."""

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

import numpy as np
from fastapi import FastAPI

ROOT = Path(__file__).parents[2]


@dataclass
class Walk:
    """What a request passes.

    Attributes:
        files: each file of the project that runs, when it first does.
        names: each function or method that takes the signal, as text or as bits, from the handler
            on. What lays it down in a value (a constructor) hands it to nobody, and is none.
        entered: whether the handler has been called.
    """

    signal: str
    handler: Callable[..., Any]
    files: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    entered: bool = False

    def follow(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        path = Path(code.co_filename)
        if event != "call" or code.co_name == "<module>" or not path.is_relative_to(ROOT):
            return
        where = path.relative_to(ROOT).as_posix()
        if not where.startswith(("core/", "functions/")):
            return
        if where not in self.files:
            self.files.append(where)
        if code is self.handler.__code__:
            self.entered = True
        if self.entered:
            self._note(frame)

    def _note(self, frame: FrameType) -> None:
        code = frame.f_code
        count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
        taken = code.co_varnames[:count]
        if code.co_name.startswith("<") or "cls" in taken or code.co_qualname in self.names:
            return
        values = [frame.f_locals.get(name) for name in taken if name != "self"]
        if any(self._holds(value) for value in values):
            self.names.append(code.co_qualname)

    def _holds(self, value: Any, depth: int = 3) -> bool:
        if isinstance(value, str):
            return value == self.signal
        if isinstance(value, np.ndarray):
            return value.tobytes() == bytes.fromhex(self.signal)
        if depth == 0:
            return False
        if isinstance(value, dict):
            value = list(value.values())
        elif not isinstance(value, list | tuple):
            value = list(getattr(value, "__dict__", {}).values())
        return any(self._holds(part, depth - 1) for part in value[:20])


def send(
    app: FastAPI,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    content_type: str = "",
    seen: dict[str, str] | None = None,
    **query: str,
) -> tuple[int, bytes]:
    """The status and the body of what `app` answers, in this process.

    Args:
        seen: takes the answer's headers, in lower case.
    """
    headers = [(b"content-length", str(len(body)).encode())]
    if content_type:
        headers.append((b"content-type", content_type.encode()))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": urlencode(query).encode(),
        "headers": headers,
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def keep(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, keep))
    if seen is not None:
        seen.update((name.decode(), value.decode()) for name, value in sent[0]["headers"])
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def follow(walk: Walk, request: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    """The answer to `request`, which leaves its traces in `walk`."""
    threading.setprofile(walk.follow)
    sys.setprofile(walk.follow)
    try:
        return request()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
