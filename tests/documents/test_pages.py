"""What the documentation takes from the program is what `make docs` would write now."""

import json
import re

import pytest

from local_runtime.documentation.commands_list import MAKEFILE, make_targets
from local_runtime.documentation.decisions_index import DECISIONS, choice, decisions_index
from local_runtime.documentation.pages import DOCS, PARTS, render_page
from local_runtime.documentation.routes_table import routes_table
from tests.core.test_imports import ROOT, STOREYS
from tests.system.runtime import hma

INDEX = (DOCS / "README.md").read_text()


@pytest.mark.parametrize("page", PARTS)
def test_made_parts_are_current(page: str) -> None:
    """Whoever changes a setting, command, error or decision has to run `make docs`."""
    assert (DOCS / page).read_text() == render_page(page), "run `make docs`"


def test_every_made_part_is_compared() -> None:
    """A part that no table of parts names would never be made again."""
    for page in DOCS.rglob("*.md"):
        parts = re.findall(r"^<!-- ([a-z ]+): made by", page.read_text(), re.MULTILINE)
        assert parts == list(PARTS.get(page.relative_to(DOCS).as_posix(), ())), page


def test_every_page_is_in_the_index() -> None:
    """Every page, but the pages of decisions, which have an index of their own."""
    pages = {page.name for page in DOCS.glob("*.md")} | {"openapi.json", "decisions/README.md"}
    linked = re.findall(r"^- \[[^]]+\]\(([^)]+)\): \S", INDEX, re.MULTILINE)
    assert pages - {"README.md"} - set(linked) == set()
    assert [link for link in linked if not (DOCS / link).exists()] == []


def test_every_command_of_the_help_is_there() -> None:
    """The page names what a terminal lists, sub-commands and options too."""
    page = (DOCS / "commands.md").read_text()
    helped = hma("--help").out
    names = re.findall(r"^│ ([a-z][a-z-]+) ", helped, re.MULTILINE)
    assert {"serve", "hash", "import-hma", "bank"} <= set(names)
    for name in names:
        assert f"### `hma {name}" in page
        assert name == "bank" or hma(name, "--help").out.count("--") >= 1
    options = re.findall(r"(--[a-z-]+)", hma("publish", "--help").out)
    section = page.partition("### `hma publish`")[2].partition("###")[0]
    assert {option for option in options if f"`{option}`" not in section} == {"--help"}


def test_every_command_and_option_says_what_it_is() -> None:
    """No cell is empty in what is made of the commands."""
    page = (DOCS / "commands.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| ") and "`" in row]
    assert len(rows) > 30
    assert [row for row in rows if not row.strip("| ").rpartition("|")[2].strip()] == []
    assert not re.search(r"^### `hma [^\n]*\n+(?:###|\||```)", page, re.MULTILINE)


def test_storeys_of_the_architecture_are_those_that_are_checked() -> None:
    """The page names each room on the storey that imports are checked by, as far as it exists."""
    table = (DOCS / "architecture.md").read_text().partition("\n## ")[0]
    for storey, rooms in enumerate(STOREYS):
        (cells,) = re.findall(rf"^\| {storey} \| ([^|]+) \|", table, re.MULTILINE)
        paths = re.findall("`([^`]+)`", cells)
        named = {path.removesuffix(".py").replace("/", ".") for path in paths}
        there = {room for room in rooms if (ROOT / room.replace(".", "/")).exists()}
        there |= {room for room in rooms if (ROOT / f"{room.replace('.', '/')}.py").exists()}
        assert named == there


def test_every_target_that_is_meant_for_people_is_there() -> None:
    """What `.PHONY` names has a line in `make help`, but for `help` and what others use."""
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE.read_text(), re.MULTILINE)
    listed = make_targets()
    missing = [name for name in phony.split() if f"`make {name}`" not in listed]
    assert set(missing) <= {"minio-if-go"}


def test_every_decision_is_numbered_once() -> None:
    """No number is taken twice; those of decisions still under way may be missing."""
    numbers = [int(page.name[:4]) for page in sorted(DECISIONS.glob("[0-9]*.md"))]
    assert sorted(set(numbers)) == numbers
    assert decisions_index().count("\n") == len(numbers) + 1


def test_a_decision_without_a_choice_is_refused() -> None:
    """A page that does not say what was chosen stops `make docs`."""
    page = DECISIONS / "0001-numbered-snapshots.md"
    assert choice("# 1. X\n\n**Choice.** We do it. Then more.\n", page) == "We do it."
    with pytest.raises(ValueError, match=r"has no \*\*Choice"):
        choice("# 1. X\n\n**Context.** None.\n", page)


def test_every_route_says_what_it_is() -> None:
    """The site map's routes are all in the table, and each row has a sentence."""
    rows = [line.strip("|").split(" | ") for line in routes_table().splitlines()[2:]]
    assert [row for row in rows if len(row) != 5 or not row[4].strip().endswith(".")] == []
    described = {row[0].strip(" `") for row in rows}
    paths = json.loads((DOCS / "openapi.json").read_text())["paths"]
    assert {path for path in paths if path not in described} == set()
