"""The table of functions says what is there, and nothing else."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from core.errors import NotFound
from functions.table import APP, DEVELOPMENT, FUNCTIONS, Role, Routes, find_function, open_paths
from tests.functions.conftest import FUNCTIONS as FOLDER

EVERY = {
    routes.module: routes
    for routes in (APP, DEVELOPMENT, *(part for each in FUNCTIONS for part in each.routes))
}


def operations(routes: Routes) -> Iterator[tuple[str, str]]:
    """Method and path of each route."""
    for route in routes.import_router().routes:
        assert isinstance(route, APIRoute)
        yield from ((method, route.path) for method in route.methods or ())


def test_every_target_is_in_the_table() -> None:
    """Each file in `functions` that has a target is a function of that name, and the reverse."""
    files = {path.stem: path.read_text() for path in FOLDER.glob("[a-z]*.py")}
    targets = {name for name, text in files.items() if f'\n{name} = target("{name}")' in text}
    assert targets == {function.verb for function in FUNCTIONS}
    assert targets == files.keys() - {"table"}


def test_every_router_is_in_the_table() -> None:
    """No module in `functions` or beside the runtime makes a router that nobody serves."""
    root = FOLDER.parent
    modules = {
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for folder in (FOLDER, root / "local_runtime")
        for path in folder.rglob("*.py")
        if re.search(r"^router = APIRouter\(", path.read_text(), re.MULTILINE)
    }
    assert modules == EVERY.keys()


def test_a_module_has_one_rule_of_roles() -> None:
    """A route asks for the same role, whichever of the functions that have it is asked."""
    parts = [part for function in FUNCTIONS for part in function.routes]
    assert [part for part in parts if EVERY[part.module] != part] == []


@pytest.mark.parametrize("module", EVERY)
def test_every_route_has_one_role(module: str) -> None:
    """Each operation has a role, and no exception is of a route that is not there."""
    routes = EVERY[module]
    there = list(operations(routes))
    assert there
    assert len(there) == len(set(there))
    assert all(routes.role_of(method, path) in Role for method, path in there)
    named = {method for method, _ in there} | {f"{method} {path}" for method, path in there}
    assert routes.exceptions.keys() <= named


@pytest.mark.parametrize(
    ("operation", "role"),
    [
        ("GET /status/live", Role.OPEN),
        ("GET /", Role.READ_ONLY),
        ("POST /h/hash", Role.HASH),
        ("GET /m/lookup", Role.MATCH),
        ("GET /c/banks", Role.READ_ONLY),
        ("POST /c/banks", Role.CURATE),
        ("DELETE /c/bank/{bank_name}/content/{content_id:id}", Role.CURATE),
        ("GET /c/exchanges/api/{api_name}", Role.READ_ONLY),
        ("POST /c/exchanges/api/{api_name}", Role.OPERATE),
        ("PUT /c/signal_type/{signal_type}", Role.OPERATE),
        ("POST /publish", Role.OPERATE),
        ("POST /fetch", Role.OPERATE),
        ("POST /dev/factory_reset", Role.ADMIN),
    ],
)
def test_roles(operation: str, role: Role) -> None:
    """Who only looks changes nothing, and who curates sees no credentials and operates nothing."""
    method, _, path = operation.partition(" ")
    roles = [
        part.role_of(method, path) for part in EVERY.values() if (method, path) in operations(part)
    ]
    assert roles == [role]


def test_open_paths() -> None:
    """Nothing but what a load balancer asks is open."""
    assert open_paths() == {"/status", "/status/live", "/site-map"}


def test_schedules_call_what_is_there() -> None:
    """The path of a schedule is a route of its function."""
    scheduled = [function for function in FUNCTIONS if function.schedule]
    assert {function.verb for function in scheduled} == {"publish", "fetch"}
    for function in scheduled:
        assert function.schedule is not None
        assert ("POST", function.schedule.path) in operations(function.routes[0])


def test_unknown_function() -> None:
    """Who asks for one that is not there is told which there are."""
    with pytest.raises(NotFound, match=r"'hsah'.* hash, "):
        find_function("hsah")
