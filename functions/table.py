"""The functions there are: what each serves, for whom, when it is called, and what it must reach.

Whoever has to know of every function reads it here: targets, the one-process runtime, OpenAPI,
access control, tests, and those that deploy. Routers are named, and imported only when a function
is made of them, because an image that only hashes has neither SQL nor an index.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from importlib import import_module
from typing import TYPE_CHECKING

from core.errors import NotFound

if TYPE_CHECKING:
    from fastapi import APIRouter


class Role(StrEnum):
    """What somebody has to be allowed to do."""

    OPEN = auto()
    """Nothing: load balancers ask, who have no token."""
    HASH = auto()
    MATCH = auto()
    CURATE = auto()
    REVIEW = auto()
    OPERATE = auto()
    ADMIN = auto()
    READ_ONLY = "read-only"


class Reach(StrEnum):
    """What a function cannot work without."""

    STORE = auto()
    DATABASE = auto()
    EXCHANGES = auto()
    SHARDS = auto()


@dataclass(frozen=True)
class Routes:
    """The `router` of a module, and who may ask its routes.

    Attributes:
        module: its dotted name.
        role: which its routes ask for,
        exceptions: but for these: by method (`GET`), or by method and path (`GET /status`), which
            goes before.
    """

    module: str
    role: Role
    exceptions: Mapping[str, Role] = field(default_factory=dict)

    def import_router(self) -> "APIRouter":
        router: APIRouter = import_module(self.module).router
        return router

    def role_of(self, method: str, path: str) -> Role:
        """The role that a route asks for, its path as the router spells it."""
        by_method = self.exceptions.get(method, self.role)
        return self.exceptions.get(f"{method} {path}", by_method)


@dataclass(frozen=True)
class Schedule:
    """A route to be called by POST, and the seconds between two calls."""

    path: str
    seconds: int


@dataclass(frozen=True)
class Function:
    """What can be deployed by itself.

    Attributes:
        verb: what it is called, and its file too.
        routes: what it serves, its own first.
        reaches: what its deployment has to let it reach.
        schedule: when it is called, if not by clients.
        behind_router: whether only `route` asks it, so that a whole runtime leaves it out.
    """

    verb: str
    routes: tuple[Routes, ...]
    reaches: frozenset[Reach] = frozenset()
    schedule: Schedule | None = None
    behind_router: bool = False

    @property
    def role(self) -> Role:
        """The role that most of its own routes ask for."""
        return self.routes[0].role

    @property
    def trigger(self) -> str:
        """What makes it run: a schedule, or a client's request."""
        return f"every {self.schedule.seconds} s" if self.schedule else "request"

    def import_routers(self) -> "list[APIRouter]":
        return [routes.import_router() for routes in self.routes]


APP = Routes(
    "functions.web.app_routes",
    Role.READ_ONLY,
    {"GET /status/live": Role.OPEN, "GET /site-map": Role.OPEN},
)
"""What every app has beside the routes of its functions."""

DEVELOPMENT = Routes("local_runtime.development", Role.ADMIN)
"""What no function has: `hma serve --development` alone."""

_STATUS = Routes("functions.status", Role.READ_ONLY, {"GET /status": Role.OPEN})
_MATCH = Routes("functions.match", Role.MATCH)
_CURATE = (
    Routes("functions.curating.bank_routes", Role.CURATE, {"GET": Role.READ_ONLY}),
    Routes("functions.curating.content_routes", Role.CURATE, {"GET": Role.READ_ONLY}),
    Routes("functions.curating.contents", Role.READ_ONLY),
    Routes(
        "functions.curating.exchange_routes",
        Role.CURATE,
        {"GET": Role.READ_ONLY, "POST /c/exchanges/api/{api_name}": Role.OPERATE},
    ),
    Routes("functions.curating.opinion_routes", Role.CURATE, {"GET": Role.READ_ONLY}),
    Routes("functions.curating.signal_type_routes", Role.OPERATE, {"GET": Role.READ_ONLY}),
)
_INDEX = frozenset({Reach.STORE})
_CATALOG = frozenset({Reach.STORE, Reach.DATABASE})

FUNCTIONS = (
    Function("status", (_STATUS,), _INDEX),
    Function("hash", (Routes("functions.hash", Role.HASH),)),
    Function("match", (_MATCH, _STATUS), _INDEX),
    Function("shard", (Routes("functions.shard", Role.MATCH), _STATUS), _INDEX, behind_router=True),
    Function("route", (_MATCH, _STATUS), frozenset({Reach.SHARDS})),
    Function("curate", _CURATE, _CATALOG),
    Function(
        "fetch",
        (Routes("functions.fetch", Role.OPERATE),),
        _CATALOG | {Reach.EXCHANGES},
        Schedule("/fetch", 60),
    ),
    Function(
        "publish",
        (Routes("functions.publish", Role.OPERATE),),
        _CATALOG,
        Schedule("/publish", 10),
    ),
    Function(
        "ui",
        (Routes("functions.ui", Role.MATCH, {"POST /ui/create_bank": Role.CURATE}),),
        _CATALOG,
    ),
)
"""Every function there is. Where two have a route that fits, the first answers."""


def find_function(verb: str) -> Function:
    """The function that is called so.

    Raises:
        NotFound: there is none; the message says which there are.
    """
    for function in FUNCTIONS:
        if function.verb == verb:
            return function
    verbs = ", ".join(sorted(function.verb for function in FUNCTIONS))
    raise NotFound(f"no function is called {verb!r}; there are {verbs}")


def find_schedule(verb: str) -> Schedule:
    """When this function is called.

    Raises:
        NotFound: there is no such function, or clients call it.
    """
    schedule = find_function(verb).schedule
    if schedule is None:
        raise NotFound(f"the function {verb!r} has no schedule")
    return schedule


def import_all_routers() -> "list[APIRouter]":
    """The routers of a whole runtime, each once."""
    routers = {
        routes.module: routes.import_router()
        for function in FUNCTIONS
        if not function.behind_router
        for routes in function.routes
    }
    return list(routers.values())


def open_paths() -> frozenset[str]:
    """The paths that are answered without a token."""
    return frozenset(
        key.removeprefix("GET ")
        for routes in (APP, *(routes for function in FUNCTIONS for routes in function.routes))
        for key, role in routes.exceptions.items()
        if role is Role.OPEN
    )
