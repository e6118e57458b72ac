"""What docs/moving.md says of columns, commands and options is what there is."""

import re
from pathlib import Path

from typer.main import get_command

from core.transfer import csv_table
from core.transfer.hma_database import COLUMNS
from local_runtime.cli import app

PAGE = (Path(__file__).parents[3] / "docs" / "moving.md").read_text()
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def test_the_grants_are_for_the_columns_that_are_read() -> None:
    """No more than needed, and no less."""
    grants = re.findall(r"GRANT SELECT \(([^)]*)\) ON (\w+) TO mover", PAGE)
    assert {table: tuple(re.split(r",\s*", columns)) for columns, table in grants} == dict(COLUMNS)


def test_every_command_and_option_is_there() -> None:
    """Those of the page exist, and the page has each option of the three commands."""
    used = re.findall(r"^hma ([a-z-]+)([^\n&]*)", PAGE, re.MULTILINE)
    assert {name for name, _ in used} >= {"import-hma", "export", "import"}
    for name, rest in used:
        known = {option for p in COMMANDS[name].params for option in p.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known
    for name in ("import-hma", "export", "import"):
        for parameter in COMMANDS[name].params:
            option = parameter.opts[0]
            assert not option.startswith("--") or option in PAGE or option == "--help", option


def test_every_column_of_csv_is_named() -> None:
    """As the header writes it."""
    for column in csv_table.COLUMNS:
        assert f"`{column}`" in PAGE
