"""Imports point inward: what each folder must not know, read off the syntax trees."""

import ast
from collections.abc import Iterator, Mapping
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
