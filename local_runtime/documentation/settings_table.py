"""Every setting, its default and what it does."""

from pathlib import Path

from core.settings import PREFIX, Settings
from local_runtime.documentation.markdown import table


def settings_table() -> str:
    """A Markdown table of every setting."""
    return table(
        ("variable", "default", "what it does"),
        (
            (f"`{PREFIX}{name.upper()}`", _default(field.default), field.description or "")
            for name, field in Settings.model_fields.items()
        ),
    )


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case Path():
            return "`hma-cache-<user>` in the folder for temporary files"
        case tuple():
            return f"`{','.join(value)}`" if value else ""
    return f"`{value}`"
