"""`hma import-hma`, `hma export` and `hma import`, as people and scripts run them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hma import LOOSE, Hma, Row, new_hma, rows
from tests.postgres import Postgres
from tests.system.runtime import hma as run
from tests.system.runtime import running

PDQ = "0f" * 32


@pytest.fixture
def source(postgres: Postgres) -> Hma:
    """An HMA with 200 contents."""
    made = new_hma(postgres.new_database())
    made.put(*rows(200))
    return made


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_move_beside_a_running_server(source: Hma, tmp_path: Path) -> None:
    """What was moved is matched under its old id, without a restart; the table is even."""
    source.put(Row(5000, "TERROR", {"pdq": PDQ}, note="from HMA"))
    data = tmp_path / "data"
    with running(data, "--publish-every", "0.2", store="files") as server:
        moved = run("import-hma", source.url, "--data", data)
        assert (moved.code, moved.err) == (0, "")
        assert "TERROR" in moved.out
        assert "both sides are the same" in moved.out
        published = server.post("/publish")
        assert published.status_code == 200
        answer = server.get("/m/lookup", signal=PDQ, signal_type="pdq").json()
        assert [one["bank_content_id"] for one in answer["TERROR"]] == [5000]
        added = server.post("/c/bank/TERROR/signal", json={"pdq": "ab" * 32})
        assert added.json()["id"] > 5000

        source.put(Row(5001, "TERROR", {"pdq": "cd" * 32}))
        again = run("import-hma", source.url, "--data", data, "--json")
        assert again.code == 0
        *counts, summary = lines(again.out)
        assert summary["complete"]
        assert summary["written"]["contents"] == 1
        assert all(row["kind"] == "count" and row["same"] for row in counts)
        terror = {(row["bank"], row["signal_type"]): row for row in counts}["TERROR", None]
        assert terror["made_here"] == 1


def test_problems_are_listed_and_make_the_exit_code(source: Hma, tmp_path: Path) -> None:
    """Each on a line of its own on standard error, or as JSON; the table marks what differs."""
    source.run(LOOSE)
    source.run("INSERT INTO bank_content (id, bank_id, disable_until_ts) VALUES (7000, 999, 1)")
    ran = run("import-hma", source.url, "--data", tmp_path)
    assert ran.code == 1
    told = "content 7000: there is no bank 999 that it could be in: left out"
    assert f"hma: {told}\n" in ran.err
    assert "1 problems and 0 differences" in ran.err
    [row] = [line for line in ran.out.splitlines() if "in no bank" in line]
    assert "differs" in row
    ran = run("import-hma", source.url, "--data", tmp_path, "--json")
    assert ran.code == 1
    problem, *_, summary = lines(ran.out)
    assert f"{problem['what']}: {problem['why']}" == told
    assert (summary["complete"], summary["problems"]) == (False, 1)


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    """The error is one line that says what to do, without the password."""
    ran = run("import-hma", "postgresql://u:hunter2@127.0.0.1:1/x", "--data", tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("hma: HMA's database does not answer")
    assert "hunter2" not in ran.err
    assert run("import-hma", "mysql://x", "--data", tmp_path).code == 1
    ran = run("export", "--data", tmp_path / "none")
    assert (ran.code, ran.out) == (1, "")
    assert "--data or HMA_DATABASE_URL" in ran.err
    assert not (tmp_path / "none").exists()
    assert run("import", tmp_path / "none", "--bank", "B", "--data", tmp_path).code == 1


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_export_then_import(source: Hma, postgres: Postgres, tmp_path: Path, form: str) -> None:
    """From SQLite to PostgreSQL and back it is the same to the byte."""
    assert run("import-hma", source.url, "--data", tmp_path).code == 0
    file = tmp_path / f"all.{form}"
    assert run("export", "--format", form, "-o", file, "--data", tmp_path).code == 0
    environ = {"HMA_DATABASE_URL": postgres.new_database()}
    imported = run("import", file, "--keep-ids", environ=environ)
    assert (imported.code, imported.err) == (0, "")
    assert imported.out == "200 contents added, 0 were there already, 0 lines left out\n"
    exported = run("export", "--format", form, environ=environ)
    assert (exported.code, exported.out) == (0, file.read_text())
    back = run("import", file, "--keep-ids", "--json", "--data", tmp_path / "back")
    assert lines(back.out) == [{"kind": "summary", "added": 200, "there": 0, "problems": 0}]
    some = run("export", "TERROR", "--data", tmp_path / "back")
    assert {row["bank"] for row in lines(some.out)} == {"TERROR"}


def test_import_of_a_bare_list(tmp_path: Path) -> None:
    """Hashes go into the bank named; a line that is none is told and makes the exit code."""
    file = tmp_path / "hashes.txt"
    file.write_bytes(b"\xef\xbb\xbf" + f"{PDQ}\n{'0' * 32}\nnone\n".encode() + b"\xff\n")
    ran = run("import", file, "--bank", "B", "--data", tmp_path)
    assert ran.code == 1
    assert ran.out == "2 contents added, 0 were there already, 2 lines left out\n"
    assert ran.err.splitlines()[0].startswith("hma: line 3: 'none' has the form of no enabled")
    exported = run("export", "--data", tmp_path)
    assert [row.get("signals") for row in lines(exported.out)] == [
        None,
        {"pdq": PDQ},
        {"video_md5": "0" * 32},
    ]
