"""Every error tells whoever meets it what to do."""

import re

from core.errors import HmaError
from core.settings import PREFIX, Settings
from local_runtime.documentation.errors_table import error_classes, errors_table


def test_every_error_says_what_to_do() -> None:
    """Each class in words of its own, not in those of the class it derives from."""
    classes = error_classes()
    assert len(classes) > 15
    assert [error.__name__ for error in classes if not vars(error).get("remedy")] == []
    assert [error.__name__ for error in classes if not vars(error).get("__doc__")] == []
    remedies = [error.remedy for error in classes]
    assert len(set(remedies)) == len(remedies)


def test_remedies_name_settings_that_there_are() -> None:
    """A variable that an error tells to set is one that can be set."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = {
        name for error in error_classes() for name in re.findall(r"HMA_[A-Z_]+\b", error.remedy)
    }
    assert {name for name in named if not name.endswith("_")} <= known


def test_errors_of_other_files_are_listed_too() -> None:
    """A class that derives from one of ours, wherever it stands in the program, is in the table."""

    class Elsewhere(HmaError):
        """It stands elsewhere."""

    Elsewhere.__module__ = "core.elsewhere"
    try:
        assert "| `Elsewhere` | 503 | no | It stands elsewhere. |" in errors_table()
    finally:
        Elsewhere.__module__ = __name__
    assert "Elsewhere" not in errors_table()
