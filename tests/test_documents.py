"""What documents say of the tree is true of it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md"] + [
    page.relative_to(ROOT).as_posix() for page in sorted((ROOT / "docs").rglob("*.md"))
]
FOLDERS = "core|functions|infra|local_runtime|tests|docs"


def paths(page: str) -> list[str]:
    """The paths below the root that a page names between backticks, or links to."""
    named = re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", page)
    return named + [link for link in re.findall(r"\]\(([^)#:]+)", page) if "/" in link]


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page: str) -> None:
    """Each path that a page names leads to something, from the root or from beside the page."""
    text = (ROOT / page).read_text()
    beside = (ROOT / page).parent
    gone = [p for p in paths(text) if not (ROOT / p).exists() and not (beside / p).exists()]
    assert gone == []


def test_a_path_is_found() -> None:
    """Between backticks and in links."""
    assert paths("`core/x.py` [y](docs/y.md) `a/b` `core`") == ["core/x.py", "docs/y.md"]
