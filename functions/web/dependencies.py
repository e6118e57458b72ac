"""What a handler asks of the app it is mounted on: its services, and limits to wait within."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, ParamSpec, TypeVar, cast

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, FastAPI, Request

from core.services import Services
from core.settings import Settings
from functions.web.turns import Client, Turns

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """How many threads may work or wait beside the event loop at once; more than that queue.

    Attributes:
        hashing: decoding and hashing release the lock, so one a core; each may hold an image.
        comparing: signals with each other, where two long videos take seconds.
        downloads: for hosts that content is fetched from. Theirs, and slow.
        fetching: for exchanges.
        client: who waits for what is done in turns; of an app by itself, nobody who could go.
        index: for the object store, when an index is due.
        catalog: for the database. Its being slow or away must not hold up any of the others.
    """

    hashing: Turns = field(default_factory=lambda: Turns(os.cpu_count() or 1))
    comparing: Turns = field(default_factory=lambda: Turns(os.cpu_count() or 1))
    downloads: Turns = field(default_factory=lambda: Turns(16))
    fetching: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    index: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    catalog: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    client: Client = field(default_factory=Client)


def services_of(app: FastAPI) -> Services:
    """The services of `app`, made from the environment when they are first asked for.

    Raises:
        Misconfigured: the environment holds settings that cannot be.
    """
    if app.state.services is None:
        app.state.services = Services(Settings.from_env())
    return cast(Services, app.state.services)


# Coroutines, because the framework would run plain functions in a thread, at every request.
async def _services(request: Request) -> Services:
    return services_of(request.app)


async def _limits(request: Request) -> Limits:
    limits = cast(Limits, request.app.state.limits)
    return replace(limits, client=Client(request.receive))


AppServices = Annotated[Services, Depends(_services)]
AppLimits = Annotated[Limits, Depends(_limits)]


async def in_thread(
    limiter: CapacityLimiter, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """What `call` returns, run in a thread so that others are served meanwhile."""
    bound = functools.partial(call, *args, **kwargs)
    return await anyio.to_thread.run_sync(bound, limiter=limiter)
