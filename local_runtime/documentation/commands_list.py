"""Every command of `hma` as its parser knows it, and every target of the Makefile."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from local_runtime.cli import app
from local_runtime.documentation.markdown import table

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def commands_list() -> str:
    """A section for each command: what it does, its arguments and options."""
    return "\n\n".join(
        "\n\n".join((f"### `{name}`", _first_lines(command.help), _parameters(command)))
        for name, command in commands(get_command(app), "hma")
    )


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The full name of each command that does something, in the order of `--help`."""
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield name, command
        return
    for word, subcommand in subcommands.items():
        yield from commands(subcommand, f"{name} {word}")


def make_targets() -> str:
    """A Markdown table of what `make help` lists."""
    targets = re.findall(r"^([a-z-]+):.*?## (.+)$", MAKEFILE.read_text(), re.MULTILINE)
    return table(("", "what it does"), ((f"`make {name}`", text) for name, text in targets))


def _first_lines(text: str | None) -> str:
    return " ".join((text or "").split())


def _parameters(command: Any) -> str:
    return table(
        ("argument or option", "default", "variable", "what it says"),
        (
            (_name(parameter), _default(parameter), _variable(parameter), parameter.help or "")
            for parameter in command.params
            if parameter.name != "help"
        ),
    )


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    name = (parameter.metavar or parameter.name).upper()
    return f"`{name}{'…' if parameter.nargs == -1 else ''}`"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    if parameter.default in (None, False, ()):
        return ""
    return f"`{parameter.default}`"


def _variable(parameter: Any) -> str:
    names = parameter.envvar or ()
    return ", ".join(f"`{name}`" for name in ([names] if isinstance(names, str) else names))
