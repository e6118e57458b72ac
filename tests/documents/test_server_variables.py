"""What functions-framework reads of the environment is documented, with its true defaults."""

import ast
from collections.abc import Iterator
from pathlib import Path

import functions_framework
from functions_framework._cli import _cli

from local_runtime.documentation.server_variables import (
    NOT_FOR_OPERATORS,
    VARIABLES,
    WITHOUT_EFFECT,
)

FRAMEWORK = Path(functions_framework.__file__).parent


def read_variables(source: str) -> Iterator[str]:
    """Each name that `source` takes from `os.environ`, or gives to an option as its variable."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, args=[name, *_]) if ast.unparse(func) in (
                "os.environ.get",
                "os.getenv",
            ):
                pass
            case ast.Subscript(value=mapping, slice=name) if ast.unparse(mapping) == "os.environ":
                pass
            case ast.keyword(arg="envvar", value=name):
                pass
            case _:
                continue
        constant = name.value if isinstance(name, ast.Constant) else None
        yield str(constants[name.id] if isinstance(name, ast.Name) else constant)


def test_every_variable_of_the_framework_is_known() -> None:
    """Each is documented, or listed with the reason why nobody sets it."""
    read = {name for file in FRAMEWORK.rglob("*.py") for name in read_variables(file.read_text())}
    assert {"WORKERS", "PORT", "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"} <= read
    documented = {variable.name for variable in VARIABLES} | WITHOUT_EFFECT.keys()
    assert read - documented - NOT_FOR_OPERATORS.keys() == set()
    assert NOT_FOR_OPERATORS.keys() <= read


def test_each_way_of_reading_is_seen() -> None:
    """By a call, by a key, through a constant, and as an option's variable."""
    source = """
NAME = "C"
os.environ.get("A", 1), os.getenv("B"), os.environ[NAME]
option("--d", envvar="D")
"""
    assert set(read_variables(source)) == {"A", "B", "C", "D"}


def test_defaults_are_those_of_the_framework() -> None:
    """Of the variables that are options, and of those that gunicorn is given."""
    documented = {variable.name: variable.default for variable in VARIABLES}
    options = {option.envvar: option.default for option in _cli.params if option.envvar}
    assert documented["PORT"] == str(options["PORT"])
    assert documented["HOST"] == options["HOST"]
    source = (FRAMEWORK / "_http" / "gunicorn.py").read_text()
    for name in ("WORKERS", "CLOUD_RUN_TIMEOUT_SECONDS"):
        assert f'os.environ.get("{name}", {documented[name]})' in source
    default = documented["GUNICORN_LOG_LEVEL"]
    assert f'os.environ.get("GUNICORN_LOG_LEVEL", "{default}")' in source
