"""The OpenAPI document: complete, true, and the one that is kept in `docs`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import Serve
from tests.served import Served

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "docs" / "openapi.json"
TOKEN = {"Authorization": "Bearer token"}


@pytest.fixture
def guarded(serve: Serve) -> Iterator[Served]:
    """A server that asks for a token, with a bank, content and an exchange."""
    with serve(api_tokens="token") as served:
        signal = {"pdq": "f0" * 32, "note": "n"}
        for path, body in (
            ("/c/banks", {"name": "KNOWN"}),
            ("/c/bank/KNOWN/signal", signal),
            ("/c/exchanges", {"bank": "FED", "api": "sample"}),
            ("/publish", None),
        ):
            answer = served.post(path, json=body, headers=TOKEN)
            assert answer.status_code in (200, 201), answer.text
        yield served
        log = Path(served.log).read_text()
    assert "Traceback" not in log, log


@pytest.mark.parametrize(
    ("requests", "narrowed"), [("anything", []), ("what_is_there", ["--exclude-method", "DELETE"])]
)
def test_every_answer_is_as_described(
    guarded: Served, tmp_path: Path, requests: str, narrowed: list[str]
) -> None:
    """Schemathesis with all its checks, on every operation: no 5xx, nothing undocumented."""
    document = tmp_path / "openapi.json"
    described = guarded.request("GET", "/openapi/openapi.json", headers=TOKEN)
    document.write_text(described.text)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(HERE / "openapi" / f"{requests}.toml")),
            *("run", str(document), "--url", guarded.url, "--checks", "all", *narrowed),
            *("--header", f"Authorization: {TOKEN['Authorization']}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "10"),
            *("--generation-deterministic", "--continue-on-failure", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    operations = sum(len(path) for path in described.json()["paths"].values())
    assert operations > 40


def test_kept_document_is_the_served_one(api: Served) -> None:
    """A change of the contract shows as a change of docs/openapi.json, which `make docs` makes."""
    assert api.get("/openapi/openapi.json").json() == json.loads(KEPT.read_text())
