"""Every route: who serves it, whom for, and what it is, from the table of functions."""

from collections.abc import Iterator

from fastapi.routing import APIRoute

from functions.table import APP, FUNCTIONS, Routes
from local_runtime.documentation.markdown import table


def routes_table() -> str:
    """A Markdown table of every route by path and method."""
    functions: dict[tuple[str, str], list[str]] = {}
    texts: dict[tuple[str, str], tuple[str, str]] = {}
    for verb, routes in _list_routes():
        for route in routes.import_router().routes:
            if not isinstance(route, APIRoute):
                continue
            for method in sorted((route.methods or set()) - {"HEAD"}):
                key = (route.path_format, method)
                functions.setdefault(key, []).append(verb)
                texts.setdefault(key, (routes.role_of(method, route.path), _summary(route)))
    return table(
        ("route", "method", "functions", "role", "what it is"),
        (
            (f"`{path}`", method, ", ".join(functions[path, method]), *texts[path, method])
            for path, method in sorted(functions)
        ),
    )


def functions_table() -> str:
    """A Markdown table of every function: what makes it run, who may, what it must reach."""
    return table(
        ("function", "runs at", "role of most of its routes", "reaches"),
        (
            (f"`{f.verb}`", f.trigger, f.role, ", ".join(sorted(f.reaches)) or "nothing")
            for f in FUNCTIONS
        ),
    )


def _list_routes() -> Iterator[tuple[str, Routes]]:
    yield "every one", APP
    for function in FUNCTIONS:
        for routes in function.routes:
            yield function.verb, routes


def _summary(route: APIRoute) -> str:
    """The first paragraph of what the handler's docstring says, else its summary."""
    return route.description.partition("\n\n")[0] or route.summary or ""
