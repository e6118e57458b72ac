"""Every error class, from `core/errors.py` and from whoever derives one."""

import importlib
import pkgutil
from collections.abc import Iterator

import core
import functions
import local_runtime
from core.errors import HmaError
from local_runtime.documentation.markdown import table


def errors_table() -> str:
    """A Markdown table of every error, those of one status together."""
    return table(
        ("error", "status", "retry", "it means", "what to do"),
        (
            (
                f"`{error.__name__}`",
                str(error.status),
                "no" if error.retry_after is None else f"after {error.retry_after} s",
                _meaning(error),
                error.remedy,
            )
            for error in sorted(error_classes(), key=lambda error: (error.status, error.__name__))
        ),
    )


def error_classes() -> list[type[HmaError]]:
    """Every class of the program that derives from HmaError, each once."""
    for package in (core, functions, local_runtime):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "migrations.env")):
                importlib.import_module(module.name)
    return list(dict.fromkeys(_subclasses(HmaError)))


def _subclasses(error: type[HmaError]) -> Iterator[type[HmaError]]:
    for subclass in error.__subclasses__():
        if subclass.__module__.partition(".")[0] in ("core", "functions", "local_runtime"):
            yield subclass
            yield from _subclasses(subclass)


def _meaning(error: type[HmaError]) -> str:
    """The first paragraph of its docstring."""
    return (error.__doc__ or "").partition("\n\n")[0]
