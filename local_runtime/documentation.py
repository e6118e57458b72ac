"""The parts of the documentation that are made from the program: `make docs`.

A made part stands between `<!-- name: … -->` and `<!-- /name -->`; a test compares it with what
would be made now, so neither a setting nor a command can go undocumented.
"""

import json
import re
from pathlib import Path

from core.settings import PREFIX, Settings
from functions.table import import_all_routers
from functions.web.app import build

DOCS = Path(__file__).parents[1] / "docs"


def settings_table() -> str:
    """A Markdown table of every setting, its default and what it does."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it does |", "|---|---|---|", *rows])


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case Path():
            return "`hma-cache-<user>` in the folder for temporary files"
        case tuple():
            return f"`{','.join(value)}`" if value else ""
    return f"`{value}`"


PARTS = {"settings.md": {"settings": settings_table}}


def made(page: Path) -> str:
    """The text of `page` with each made part as it should be now."""
    text = page.read_text()
    for name, make in PARTS[page.name].items():
        pattern = re.compile(f"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        content = f"\n{make()}\n\n"
        text, count = pattern.subn(lambda m, c=content: m[1] + c + m[2], text)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"{page} has {count} parts named {name}, and needs one")
    return text


def openapi() -> str:
    """The description of all functions together, as the runtime serves it."""
    return json.dumps(build(*import_all_routers()).openapi(), indent=1, sort_keys=True) + "\n"


def main() -> None:
    (DOCS / "openapi.json").write_text(openapi())
    for name in PARTS:
        page = DOCS / name
        page.write_text(made(page))


if __name__ == "__main__":
    main()
