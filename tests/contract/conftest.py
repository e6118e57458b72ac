"""Servers that the HTTP contract is tested on, each a process of its own."""

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.contract.web_site import Page, site
from tests.pictures import blank, photograph, truncated
from tests.served import Served, serving

Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture(scope="session")
def pages() -> Iterator[str]:
    """The address of a web site with content of each sort."""
    with site(
        {
            "/photo.png": Page(photograph(), "image/png"),
            "/photo": Page(photograph(), "application/octet-stream"),
            "/bare": Page(photograph()),
            "/video.mp4": Page(b"not really a video", "video/mp4"),
            "/page.html": Page(b"<p>hello</p>", "text/html"),
            "/broken.jpg": Page(truncated(), "image/jpeg"),
            "/blank.png": Page(blank(), "image/png"),
            "/large.mp4": Page(bytes(3 << 20), "video/mp4"),
        }
    ) as address:
        yield address


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Starts a server with all functions and folders of its own; settings by keyword."""

    def start(**settings: object) -> AbstractContextManager[Served]:
        folder = tmp_path_factory.mktemp("served")
        (folder / "store").mkdir()
        given = {
            "store_url": f"file://{folder / 'store'}",
            "database_url": f"sqlite:///{folder / 'catalog.db'}",
            "cache_dir": folder / "cache",
            "allowed_hostnames": "127.0.0.1",
            "max_fetch_bytes": 2 << 20,
            "max_upload_bytes": 20 << 20,
            **settings,
        }
        return serving(
            "uvicorn",
            "tests.contract.every_function:app",
            *("--factory", "--no-access-log", "--port", "{port}"),
            environ={f"HMA_{name.upper()}": str(value) for name, value in given.items()},
            log=folder / "log",
        )

    return start


@pytest.fixture(scope="session")
def api(serve: Serve) -> Iterator[Served]:
    """A server with a published index of each type, which at the end has not seen an accident."""
    with serve() as served:
        assert served.post("/publish").status_code == 200
        yield served
        log = Path(served.log).read_text()
    assert "Traceback" not in log, log


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def bank(api: Served, _numbers: Iterator[int]) -> str:
    """The name of a new bank that takes part in every lookup."""
    name = f"BANK_{next(_numbers)}"
    answer = api.post("/c/banks", json={"name": name})
    assert answer.status_code == 201, answer.text
    return name


@pytest.fixture
def signal(request: pytest.FixtureRequest) -> str:
    """A PDQ hash that no other test uses."""
    return random.Random(request.node.nodeid).randbytes(32).hex()
