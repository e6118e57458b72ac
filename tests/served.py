"""Servers under test: real processes, talked to over real HTTP."""

import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local_runtime.store.child import Child

START_SECONDS = 60.0
"""Longest start on a busy machine."""

END_SECONDS = 30.0
"""The same of an end in order, with that of an object store in it."""


@dataclass(frozen=True)
class Served:
    """A running server. `get`, `post`, … are those of requests, given a path."""

    url: str
    child: Child
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.request("GET", path, params=query)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str) -> requests.Response:
        return self.request("DELETE", path)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 30)
        return requests.request(method, self.url + path, allow_redirects=False, **options)

    def memory(self) -> int:
        """Bytes of memory its process holds."""
        statm = Path(f"/proc/{self.child.pid}/statm").read_text()
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(
    module: str, *arguments: str, environ: Mapping[str, str], log: Path, port: int = 0
) -> Iterator[Served]:
    """`python -m module arguments`, with `{port}` in them filled in, until the block ends.

    Args:
        port: a free one; if 0, any.
    """
    # Neither settings nor what our own imports told NumPy: a server has a user's environment.
    ours = re.compile("HMA_.*|.*_NUM_THREADS")
    clean = {name: value for name, value in os.environ.items() if not ours.fullmatch(name)}
    with reserved_port(port) as free:
        command = [sys.executable, "-m", module, *(one.format(port=free) for one in arguments)]
        child = Child.start(command, log=log, environ=clean | dict(environ), grace=END_SECONDS)
        served = Served(f"http://127.0.0.1:{free}", child, log)
        try:
            _wait(served)
            yield served
        finally:
            child.stop()


@contextmanager
def reserved_port(port: int = 0) -> Iterator[int]:
    """A port of 127.0.0.1 to listen on, or this one, kept for us on Linux while the block runs.

    A server takes seconds to come to listening, in which other processes ask for free ports too.
    """
    with socket.socket() as holder:
        # With it, who does so as well may listen: all servers here do.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        port = holder.getsockname()[1]
        if sys.platform != "linux":  # where a port is bound once, whatever was set
            holder.close()
        yield port


def _wait(served: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and served.child.running():
        try:
            if served.get("/status/live").status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{served.log.read_text()}")
