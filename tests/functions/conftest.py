"""Each function as its own process, sharing nothing but a store and, where it may, a catalog."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.served import Served, serving

FUNCTIONS = Path(__file__).parents[2] / "functions"
Start = Callable[..., AbstractContextManager[Served]]


@dataclass(frozen=True)
class Place:
    """Where the processes of one deployment meet.

    Attributes:
        index: the environment of a function that reads the index.
        catalog: the one more variable of a function that also changes what is banked.
    """

    folder: Path
    index: Mapping[str, str]
    catalog: Mapping[str, str]

    @property
    def database(self) -> Path:
        return self.folder / "catalog.db"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    (folder / "store").mkdir()
    return Place(
        folder,
        {
            "HMA_STORE_URL": f"file://{folder / 'store'}",
            "HMA_CACHE_DIR": str(folder / "cache"),
            "HMA_REFRESH_SECONDS": "0.1",
        },
        {"HMA_DATABASE_URL": f"sqlite:///{folder / 'catalog.db'}"},
    )


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts one function under functions-framework, as the cloud does."""

    def started(
        verb: str, environ: Mapping[str, str], without: Sequence[str] = ()
    ) -> AbstractContextManager[Served]:
        folder = tmp_path_factory.mktemp(verb)
        return serving(
            "functions_framework",
            *("--source", str(FUNCTIONS / f"{verb}.py"), "--target", verb),
            *("--host", "127.0.0.1", "--port", "{port}"),
            environ={**environ, **absent(folder, without)},
            log=folder / "log",
        )

    return started


def absent(folder: Path, modules: Sequence[str]) -> dict[str, str]:
    """The environment of a process in which these modules are not installed."""
    for name in modules:
        (folder / f"{name}.py").write_text(f"raise ImportError('{name} is not installed')\n")
    return {"PYTHONPATH": str(folder)} if modules else {}


@pytest.fixture(scope="module")
def hasher(start: Start) -> Iterator[Served]:
    """The hash function, with no environment and none of the packages that others need."""
    without = ("sqlmodel", "sqlalchemy", "alembic", "fsspec", "s3fs", "boto3")
    with start("hash", {}, without) as served:
        yield served


@pytest.fixture(scope="module")
def matcher(start: Start, place: Place) -> Iterator[Served]:
    """The match function, which knows of no catalog and could not open one."""
    with start("match", place.index, ("sqlmodel", "sqlalchemy", "alembic")) as served:
        yield served


@pytest.fixture(scope="module")
def curator(start: Start, place: Place) -> Iterator[Served]:
    """The curate function."""
    with start("curate", {**place.index, **place.catalog}) as served:
        yield served
