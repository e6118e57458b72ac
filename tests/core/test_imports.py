"""Imports point inward: what each folder must not know, read off the syntax trees."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WEB = {"fastapi", "flask", "functions_framework", "gunicorn", "starlette", "uvicorn", "werkzeug"}
SQL = {"alembic", "psycopg", "sqlalchemy", "sqlite3", "sqlmodel"}
STORAGE = {"aiobotocore", "boto3", "botocore", "fsspec", "minio", "s3fs"}

FORBIDDEN = {
    "core": WEB | {"functions", "local_runtime", "tests"},
    "functions": SQL | STORAGE | {"local_runtime", "tests"},
    "local_runtime": SQL | {"tests"},
}

KNOW_SQL = ("core/catalog/", "core/transfer/hma_database.py")
"""The catalog, and what reads the database of another program."""

MAY_KNOW_SERVICES = ("core/services.py", "core/jobs/")
"""What composes, and what schedules run. Whoever works takes what it uses, and says so."""

MAY_READ_ENVIRONMENT = {
    "core/settings/settings.py",
    "core/__init__.py",
    "local_runtime/store/s3_server.py",
}
"""The settings, for all of us; what tells NumPy how many threads it has, before it is imported; and
what starts other programs, which hands its own on to them."""


STOREYS: Sequence[tuple[str, ...]] = (
    ("core.errors", "core.settings", "core.tasks"),
    ("core.hashing", "core.download", "core.store", "core.telemetry"),
    ("core.signal_types",),
    ("core.index",),
    ("core.matching", "core.catalog"),
    ("core.exchanges", "core.curation", "core.events"),
    ("core.actions", "core.review", "core.live", "core.transfer"),
    ("core.services", "core.jobs"),
    ("functions",),
    ("local_runtime",),
)
"""The rooms from the ground up. A file imports from its own room, or from a storey below it."""

ACROSS = {
    ("core.settings", "core.errors"): "what is wrong with a setting is an error",
    ("core.tasks", "core.errors"): "so is what goes wrong with a task",
    ("core.jobs", "core.services"): "a worker puts together what it works with",
}
"""Rooms of one storey of which the first may know the second, and why."""


def room_of(name: str) -> tuple[int, str] | None:
    """The storey and the room that a dotted name is in; None if it is in none."""
    for storey, rooms in enumerate(STOREYS):
        for room in rooms:
            if name == room or name.startswith(f"{room}."):
                return storey, room
    return None


def _module(where: str) -> str:
    return where.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def steps_up(where: str, source: str) -> Iterator[str]:
    """Each import of the file `where` from a storey above it, or from another room beside it."""
    home = room_of(_module(where))
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        for name in _names(node):
            away = room_of(name)
            if home is None or away is None or away[1] == home[1]:
                continue
            if away[0] >= home[0] and (home[1], away[1]) not in ACROSS:
                assert isinstance(node, ast.stmt | ast.expr)
                yield (
                    f"{where}:{node.lineno}: {lines[node.lineno - 1].strip()}: "
                    f"{home[1]} is on storey {home[0]}, {away[1]} on {away[0]}"
                )


def offences(where: str, source: str) -> Iterator[str]:
    """Each line of the file `where`, below the root, that breaks a rule, with its number."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        for name in _names(node):
            top = name.partition(".")[0]
            if (
                top in FORBIDDEN[where.partition("/")[0]]
                or (top in SQL and not where.startswith(KNOW_SQL))
                or (_reads_environment(name) and where not in MAY_READ_ENVIRONMENT)
                or (_takes_services(name, where) and not where.startswith(MAY_KNOW_SERVICES))
            ):
                assert isinstance(node, ast.stmt | ast.expr)
                yield f"{where}:{node.lineno}: {lines[node.lineno - 1].strip()}"


def _names(node: ast.AST) -> Iterator[str]:
    """What a syntax node imports or takes from a module, dotted."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.Attribute(value=ast.Name(id="os"), attr=attr):
            yield f"os.{attr}"


def _reads_environment(name: str) -> bool:
    return name in ("os.environ", "os.environb", "os.getenv", "os.getenvb")


def _takes_services(name: str, where: str) -> bool:
    return where.startswith("core/") and name.startswith("core.services")


def circle(sources: Mapping[str, str]) -> list[str]:
    """Modules, by name with their source, of which each imports the one before it; [] if none."""
    imports = {
        module: {
            # `from core.index import publish` names a module, `from core.errors import …` a class.
            name if name in sources else name.rpartition(".")[0]
            for node in ast.walk(ast.parse(source))
            for name in _names(node)
        }
        - {module}  # of which an extension in C is a part
        for module, source in sources.items()
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_point_inward(folder: str) -> None:
    """No file of ours imports what its folder must not know, or reads the environment."""
    files = sorted((ROOT / folder).rglob("*.py"))
    found = [
        offence
        for file in files
        for offence in offences(file.relative_to(ROOT).as_posix(), file.read_text())
    ]
    assert files
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_storeys_hold(folder: str) -> None:
    """No file imports from a storey above it; every file is in a room."""
    files = sorted(set((ROOT / folder).rglob("*.py")) - {ROOT / "core" / "__init__.py"})
    names = [file.relative_to(ROOT).as_posix() for file in files]
    modules = [_module(name) for name in names]
    assert [name for name in modules if room_of(name) is None] == []
    found = [
        step
        for name, file in zip(names, files, strict=True)
        for step in steps_up(name, file.read_text())
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("core/errors.py", "from core.settings import Settings"),
        ("core/hashing/pdq/matrix.py", "from core.signal_types import enabled"),
        ("core/hashing/pdq/matrix.py", "from core.store import ObjectStore"),
        ("core/index/entry.py", "def f():\n    from core.catalog import Catalog"),
        ("core/index/entry.py", "import core.matching.lookup"),
        ("core/matching/lookup.py", "if TYPE_CHECKING:\n    from core.services import Services"),
        ("core/catalog/bank.py", "from core.matching.lookup import lookup"),
        ("core/transfer/line.py", "from core.services import Services"),
    ],
)
def test_each_storey_bites(where: str, source: str) -> None:
    """An import from above, or from the room beside, is printed with its line and the reason."""
    (step,) = steps_up(where, source)
    last = source.splitlines()[-1].strip()
    assert step.startswith(f"{where}:{len(source.splitlines())}: {last}: core.")


def _own(folder: Path) -> set[str]:
    """The names of a package's files and folders."""
    files = {path.name.split(".")[0] for path in folder.glob("*.py")} - {"__init__"}
    return files | {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}


PACKAGES = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for folder in FORBIDDEN
    for path in (ROOT / folder).rglob("__init__.py")
    if "migrations" not in path.parts  # which Alembic lists
)


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_are_small(package: str) -> None:
    """A folder has at most 16 files, and `core` three loose ones: a listing is read at a glance."""
    files = [path for path in (ROOT / package).glob("*.py") if path.stem != "__init__"]
    assert len(files) <= (3 if package == "core" else 16)


@pytest.mark.parametrize("package", PACKAGES)
def test_layer_tables_are_complete(package: str) -> None:
    """The table in a package's docstring names each of its files and folders, and nothing else."""
    docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text())) or ""
    cells = re.findall(r"^\| (`[^|]*) \|", docstring, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`(\w+)/?`", cell)]
    assert sorted(named) == sorted(_own(ROOT / package))


def test_nothing_is_imported_in_a_circle() -> None:
    """Each file can be understood from those it imports, wherever in it the imports stand."""
    files = [file for folder in FORBIDDEN for file in (ROOT / folder).rglob("*.py")]
    paths = [file.relative_to(ROOT).with_suffix("").as_posix() for file in files]
    names = [path.removesuffix("/__init__").replace("/", ".") for path in paths]
    sources = {name: file.read_text() for name, file in zip(names, files, strict=True)}
    assert circle(sources) == []


def test_a_circle_is_found() -> None:
    """Also one that is closed within a function."""
    sources = {
        "core.hashing.media.video": "from core.hashing.vpdq.signal import Frame",
        "core.hashing.vpdq.signal": "def f():\n    from core.hashing.media import video",
        "core.signal_types.hash_content": "from core.hashing.media import video",
    }
    assert set(circle(sources)) == {"core.hashing.media.video", "core.hashing.vpdq.signal"}
    assert circle(sources | {"core.hashing.vpdq.signal": "import json"}) == []


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("core/signal_types/hash_content.py", "import fastapi"),
        ("core/signal_types/hash_content.py", "from starlette.requests import Request"),
        ("core/signal_types/hash_content.py", "import functions_framework.aio"),
        ("core/signal_types/hash_content.py", "from functions import hash"),
        ("core/signal_types/hash_content.py", "def f():\n    import local_runtime.serve"),
        ("core/signal_types/hash_content.py", "from sqlalchemy import text"),
        ("core/index/reading/read.py", "import sqlmodel"),
        ("core/transfer/import_hma.py", "import psycopg"),
        ("core/signal_types/hash_content.py", "import os\nlimit = os.environ['HMA_LIMIT']"),
        ("core/signal_types/hash_content.py", "from os import getenv"),
        ("core/curation/bank_signals.py", "from core.services import Services"),
        ("core/transfer/import_hma.py", "def f():\n    import core.services"),
        ("functions/hash.py", "from local_runtime import child"),
        ("functions/hash.py", "import fsspec"),
        ("functions/hash.py", "import os\nos.getenv('PORT')"),
        ("local_runtime/serve.py", "import sqlmodel"),
    ],
)
def test_each_rule_bites(where: str, source: str) -> None:
    """A line that breaks a rule is found and printed, wherever in the file it stands."""
    last = source.splitlines()[-1].strip()
    line = len(source.splitlines())
    assert list(offences(where, source)) == [f"{where}:{line}: {last}"]


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("core/catalog/models.py", "import sqlmodel"),
        ("core/settings/settings.py", "import os\nos.environ"),
        ("core/jobs/publish.py", "from core.services import Services"),
        ("functions/hash.py", "import fastapi\nfrom core import hash"),
        ("local_runtime/serve.py", "import uvicorn\nfrom functions import match"),
        ("core/index/reading/read.py", "from core.store import ObjectStore\nfrom . import segment"),
    ],
)
def test_what_is_allowed_passes(where: str, source: str) -> None:
    """The rules forbid nothing that the design asks for."""
    assert not list(offences(where, source))
