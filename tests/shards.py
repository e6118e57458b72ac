"""An index held in shares: shard processes and a router before them, on loopback.

with sharding({"HMA_STORE_URL": "s3://…", …}, 4, folder) as sharded:
    sharded.url, sharded.pids  # of the router; of the shards, one process each
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI

from functions.table import find_function
from functions.web.app import build
from tests.served import Served, serving


def shard_app() -> FastAPI:
    return build(*find_function("shard").import_routers())


def match_app() -> FastAPI:
    """What `route` serves too: settings alone tell them apart."""
    return build(*find_function("match").import_routers())


def process(
    app: str, environ: Mapping[str, str], log: Path, port: int = 0
) -> AbstractContextManager[Served]:
    """`shard_app` or `match_app` as one process, that has one worker: its pid is its memory's."""
    command = (
        *(f"tests.shards:{app}", "--factory", "--no-access-log", "--port", "{port}"),
        *("--timeout-graceful-shutdown", "2"),  # clients of a stopped shard would keep it for ever
    )
    return serving("uvicorn", *command, environ=environ, log=log, port=port)


@dataclass
class Sharded:
    """Running shards, the first of them 1/n, and their router."""

    shards: list[Served]
    router: Served
    _environ: Mapping[str, str]
    _stack: ExitStack = field(repr=False)

    @property
    def url(self) -> str:
        return self.router.url

    @property
    def pids(self) -> list[int]:
        """Of the shards."""
        return [shard.child.pid for shard in self.shards]

    def restart(self, number: int) -> None:
        """Start shard `number` again, which has ended, where it was."""
        ended = self.shards[number - 1]
        ended.child.stop()
        environ = shard_environ(self._environ, number, len(self.shards))
        again = process("shard_app", environ, ended.log, ended.address[1])
        self.shards[number - 1] = self._stack.enter_context(again)


@contextmanager
def sharding(environ: Mapping[str, str], count: int, folder: Path) -> Iterator[Sharded]:
    """`count` shards of the index that `environ` leads to, and their router, until the block ends.

    Args:
        environ: `HMA_STORE_*` of the index, and whatever else shards and router are to be told.
        folder: for logs.
    """
    with ExitStack() as stack:
        starting = [
            process(
                "shard_app", shard_environ(environ, number, count), folder / f"shard-{number}.log"
            )
            for number in range(1, count + 1)
        ]
        with ThreadPoolExecutor(count) as pool:
            shards = list(pool.map(stack.enter_context, starting))
        router = stack.enter_context(
            process("match_app", router_environ(environ, shards), folder / "router.log")
        )
        sharded = Sharded(shards, router, environ, stack)
        try:
            yield sharded
        finally:  # at once: each may wait for its clients
            with ThreadPoolExecutor(count + 1) as pool:
                list(pool.map(lambda one: one.child.stop(), [router, *sharded.shards]))


def shard_environ(environ: Mapping[str, str], number: int, count: int) -> dict[str, str]:
    return {**environ, "HMA_SHARD": f"{number}/{count}"}


def router_environ(environ: Mapping[str, str], shards: list[Served]) -> dict[str, str]:
    """Without the store: a router opens none."""
    kept = {name: value for name, value in environ.items() if not name.startswith("HMA_STORE_")}
    return {**kept, "HMA_SHARDS": ",".join(shard.url for shard in shards)}
