"""Which parts of which page are made, and how one is put in its place.

A part stands between `<!-- name: … -->` and `<!-- /name -->`; a test compares it with what would
be made now, so that nothing which has a table here can go undocumented.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from local_runtime.documentation.commands_list import commands_list, make_targets
from local_runtime.documentation.decisions_index import decisions_index
from local_runtime.documentation.errors_table import errors_table
from local_runtime.documentation.routes_table import functions_table, routes_table
from local_runtime.documentation.server_variables import (
    server_variables,
    variables_without_effect,
)
from local_runtime.documentation.settings_table import settings_table

DOCS = Path(__file__).parents[2] / "docs"

PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "settings.md": {"settings": settings_table},
        "commands.md": {"commands": commands_list, "targets": make_targets},
        "errors.md": {"errors": errors_table},
        "routes.md": {"functions": functions_table, "routes": routes_table},
        "decisions/README.md": {"decisions": decisions_index},
        "operations.md": {
            "server variables": server_variables,
            "variables without effect": variables_without_effect,
        },
    }
)


def render_page(page: str) -> str:
    """The text of a page, by its path below `docs`, with each part as it should be now.

    Raises:
        ValueError: a part has no place in the page, or several.
    """
    text = (DOCS / page).read_text()
    for name, make in PARTS[page].items():
        text = _put(text, name, make(), page)
    return text


def _put(text: str, name: str, part: str, page: str) -> str:
    pattern = re.compile(f"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    replaced, count = pattern.subn(lambda match: f"{match[1]}\n{part}\n\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"{page} has {count} parts named {name}, and needs one")
    return replaced
