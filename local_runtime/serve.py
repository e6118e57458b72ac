"""The one-process runtime: every function behind one port, a scheduler, an object store beside it.

What the cloud gives a deployment comes from one folder here: catalog, objects, cache. Everything
that can be wrong with it is found before anything is started.
"""

import fcntl
import hashlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from core.errors import HmaError, Misconfigured
from core.jobs.fetch import FetchJob
from core.jobs.job import Job
from core.jobs.opinions import OpinionsJob
from core.jobs.publish import PublishJob
from core.services import Services
from core.settings import Settings
from functions.table import import_all_routers
from functions.web.app import build
from local_runtime.development import router
from local_runtime.scheduler import Scheduler
from local_runtime.store.object_store import ObjectStoreServer, object_store

SCHEDULED: Mapping[str, Callable[[Services, float], Mapping[str, Job]]] = {
    "publish": lambda services, _: {"publishing": PublishJob(services)},
    "fetch": lambda services, seconds: {
        "fetching": FetchJob(services, seconds / 2),
        "telling opinions": OpinionsJob(services),
    },
}
"""Of each function that has a schedule its jobs, by what reports call them, given the seconds
between two runs."""


@dataclass(frozen=True)
class Serving:
    """A runtime that is up.

    Attributes:
        url: where it listens, without a slash at the end.
        data: the folder it keeps everything in.
        store: its object store.
    """

    url: str
    data: Path
    store: ObjectStoreServer


def serve(
    settings: Settings,
    host: str,
    port: int,
    data: Path,
    store: str | None,
    publish_seconds: float,
    report: Callable[[str], object],
    on_start: Callable[[Serving], bool],
    fetch_seconds: float = 60.0,
    development: bool = False,
) -> None:
    """Serve until interrupted.

    Args:
        settings: those that are unset get values inside `data`.
        port: 0 for a free one.
        store: as `object_store` takes it.
        publish_seconds: between runs of the scheduled publish.
        report: is told of what goes wrong meanwhile.
        on_start: called in a thread once requests are accepted; whether to go on serving.
        fetch_seconds: between runs of the scheduled fetch.
        development: also mount what fills and empties a server.

    Raises:
        Misconfigured: the folder or the port is in use, or the store is not installed.
        Unavailable: the object store or the catalog cannot be used.
        HmaError: what `on_start` raised.
    """
    signal.signal(signal.SIGTERM, _end)
    with ExitStack() as stack:
        data = data.resolve()
        stack.enter_context(_alone_in(data))
        listener = stack.enter_context(closing(_listen(host, port)))
        store_server = stack.enter_context(object_store(settings, data, store))
        services = Services(_complete_settings(settings, data, store_server))
        _rebuild_for_new_store(services, data / "indexed", store_server)
        seconds = {"publish": publish_seconds, "fetch": fetch_seconds}
        for verb, make_jobs in SCHEDULED.items():
            for name, job in make_jobs(services, seconds[verb]).items():
                stack.enter_context(Scheduler(name, job, seconds[verb], report))
        server = uvicorn.Server(
            uvicorn.Config(
                build(*import_all_routers(), *([router] if development else []), services=services),
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=5,
            )
        )
        serving = Serving(_url(listener), data, store_server)
        failures: list[HmaError] = []
        threading.Thread(
            target=_run_on_start, args=(on_start, serving, server, failures), daemon=True
        ).start()
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    if failures:
        raise failures[0]


def _end(*_: object) -> None:
    """On SIGTERM: end as if by ourselves, so that what we started is stopped in order."""
    sys.exit(0)


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when we end, however that is."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / "lock").open("a+")
    except OSError as error:
        raise Misconfigured(
            f"{data} cannot be used: {error.strerror}. Give a folder of yours: --data DIR"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Misconfigured(
                f"{data} is in use by another hma serve (process {lock.read().strip()}). "
                "Stop that one, or give this one a folder of its own: --data DIR"
            ) from None
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # Connections inherit it. Else the body of an answer waits for the client to acknowledge its
        # head, which a client that keeps the connection does 40 ms later.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise Misconfigured(
            f"cannot listen on {host} port {port}: {error.strerror}. Stop what uses it "
            "(another hma serve?), or choose another: --port PORT"
        ) from error
    return listener


def _url(listener: socket.socket) -> str:
    """Where a client on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # only named here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _complete_settings(settings: Settings, data: Path, store: ObjectStoreServer) -> Settings:
    defaults = {"database_url": f"sqlite:///{data / 'catalog.db'}", "cache_dir": data / "cache"}
    explicit = settings.model_dump(include=settings.model_fields_set)
    return Settings(**(defaults | explicit | store.settings))


def _rebuild_for_new_store(services: Services, note: Path, store: ObjectStoreServer) -> None:
    """Index the whole catalog if this store was not the one in use with it the last time.

    Otherwise an index left there earlier would be taken for the current one: what was banked
    since then bears no mark any more.
    """
    pair = f"{services.settings.database_url} {store.identity}"
    digest = hashlib.sha256(pair.encode()).hexdigest()  # the URL may hold a password
    if note.exists() and note.read_text() == digest:
        return
    note.unlink(missing_ok=True)
    PublishJob(services).rebuild()
    note.write_text(digest)


def _run_on_start(
    on_start: Callable[[Serving], bool],
    serving: Serving,
    server: uvicorn.Server,
    failures: list[HmaError],
) -> None:
    go_on = False
    try:
        go_on = on_start(serving)
    except HmaError as error:
        if not server.should_exit:  # else it failed because we end
            failures.append(error)
    finally:
        server.should_exit = server.should_exit or not go_on
