"""`docs/api.md`: its examples answer what it says, and it has every route that HMA does not."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import Serve
from tests.pictures import photograph
from tests.served import Served

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

HMA = [
    "/",
    "/status",
    "/status/live",
    "/site-map",
    "/openapi/",
    "/openapi/openapi.json",
    "/openapi/swagger",
    "/h/hash",
    "/m/raw_lookup",
    "/m/lookup",
    "/m/index/status",
    "/m/compare",
    "/c/banks",
    "/c/bank/<bank_name>",
    "/c/bank/<bank_name>/content",
    "/c/bank/<bank_name>/signal",
    "/c/bank/<bank_name>/content/<int:content_id>",
    "/c/exchanges",
    "/c/exchanges/apis",
    "/c/exchanges/api/<api_name>",
    "/c/exchanges/api/<api_name>/schema",
    "/c/exchange/<exchange_name>",
    "/c/exchange/<exchange_name>/status",
    "/c/signal_type",
    "/c/signal_type/<signal_type>",
    "/c/signal_type/index",
    "/c/content_type",
    "/ui/query",
    "/ui/query_url",
    "/ui/query_hash",
    "/ui/bank/<bank_name>/content/find",
    "/ui/create_bank",
]
"""Every rule of HMA 1.1.7."""


@pytest.fixture
def fresh(serve: Serve) -> Iterator[Served]:
    """A server on which nothing has happened yet."""
    with serve() as served:
        assert served.post("/publish").status_code == 200
        yield served


def examples(page: str) -> Iterator[tuple[str, str]]:
    """Each command of the page's consoles with what it prints there."""
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = one.partition("\n")
            yield command, printed.strip()


def test_examples(fresh: Served, tmp_path: Path) -> None:
    """Run in their order in one shell each; `…` stands for what differs each time."""
    (tmp_path / "coffee.png").write_bytes(photograph("coffee.png"))
    environ = {"HMA": fresh.url, "TOKEN": "t", "PATH": os.environ["PATH"]}
    commands = list(examples(PAGE.read_text()))
    assert len(commands) > 15
    for command, printed in commands:
        run = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        pattern = ".*".join(map(re.escape, printed.split("…")))
        assert re.fullmatch(pattern, run.stdout.strip()), f"{command}\n{run.stdout}"


def test_every_route_of_ours_is_there(api: Served) -> None:
    """Whatever HMA does not have is in the page, and whatever it has is here."""
    rules = set(api.get("/site-map").json())
    assert rules.issuperset(HMA)
    page = PAGE.read_text()
    assert [rule for rule in sorted(rules.difference(HMA)) if rule not in page] == []
