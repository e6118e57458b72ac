"""Every test says what it proves, read off the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def silent_tests(where: str, source: str) -> Iterator[str]:
    """Each test in the file `where` that has no sentence, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            silent = not (ast.get_docstring(node) or "").strip()
            if node.name.startswith("test_") and silent:
                yield f"{where}:{node.lineno}: {node.name}"


def test_each_test_says_what_it_proves() -> None:
    """In a sentence below its name, so that whoever breaks it knows what is broken."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    silent = [
        test
        for file in files
        for test in silent_tests(file.relative_to(ROOT).as_posix(), file.read_text())
    ]
    assert files
    assert not silent, "\n" + "\n".join(silent)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def test_a() -> None:\n    assert True", [1]),
        ('class Tests:\n    def test_a(self) -> None:\n        """ """', [2]),
        ('async def test_a() -> None:\n    """It is told."""', []),
        ("def made() -> None:\n    assert True", []),
    ],
)
def test_a_test_without_a_sentence_is_found(source: str, lines: list[int]) -> None:
    """Wherever it stands; what is no test needs none."""
    assert list(silent_tests("tests/x.py", source)) == [f"tests/x.py:{n}: test_a" for n in lines]
