"""The app that serves some of the functions: one of them in the cloud, all of them on a laptop."""

import functools
import re
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version

import functions_framework.aio
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from core.services import Services
from functions.table import APP, find_function
from functions.web.answer import Json
from functions.web.dependencies import Limits
from functions.web.edge import Edge
from functions.web.errors import install
from functions.web.openapi import App
from functions.web.publishing import Publishing


def build(*routers: APIRouter, services: Services | None = None) -> FastAPI:
    """An app of `routers`, with the routes that every app has.

    Args:
        services: what to work with; made from the environment at the first need if None.
    """
    app = App(
        title="Open Media Match API",
        version=version("hma-functions"),
        openapi_url=None,
        default_response_class=Json,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.limits = Limits()
    app.state.publishing = Publishing(app.state.limits)
    mounted = (*routers, APP.import_router())
    app.state.rules = _rules(mounted)
    app.state.methods = _methods(mounted)
    for router in mounted:
        app.include_router(router)
    install(app)
    app.add_middleware(Edge)
    return app


def target(verb: str) -> Callable[[Request], Awaitable[ASGIApp]]:
    """What functions-framework runs as `verb`: it hands each request on to the function's app.

    Its modules are imported now, because the command imports us before it forks; the app is made
    at the first request, because what it holds must not be inherited by a child.

    Raises:
        NotFound: the table has no such function.
    """
    routers = find_function(verb).import_routers()
    app = functools.cache(lambda: build(*routers))

    async def function(_: Request) -> ASGIApp:
        return app()

    function.__name__ = verb
    registered: Callable[[Request], Awaitable[ASGIApp]] = functions_framework.aio.http(function)
    return registered


def _methods(routers: Sequence[APIRouter]) -> list[tuple[re.Pattern[str], set[str]]]:
    """For each path the methods it has, paths with the fewest parameters first."""
    methods: dict[str, tuple[re.Pattern[str], set[str]]] = {}
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            methods.setdefault(route.path, (route.path_regex, set()))[1].update(route.methods or ())
    return [methods[path] for path in sorted(methods, key=lambda path: path.count("{"))]


def _rules(routers: Sequence[APIRouter]) -> list[str]:
    """What the site map says: each path once, as the contract spells such rules."""
    paths = {route.path for router in routers for route in router.routes if hasattr(route, "path")}
    return sorted(
        re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\{(\w+):id\}", r"<int:\1>", path)) for path in paths
    )
