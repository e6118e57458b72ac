"""The commands that move banks: in from HMA, out to files, in from files.

They work on the catalog itself, not through a server, which may run meanwhile.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console
from rich.table import Table

from core.errors import BadInput, Misconfigured
from core.settings import Settings
from local_runtime.commands.asking import Json, complain, print_json
from local_runtime.commands.progress import progress_bars

if TYPE_CHECKING:
    from core.services import Services
    from core.transfer.import_hma import Outcome
    from core.transfer.problem import Problem
    from core.transfer.reconcile import Row

Data = Annotated[
    Path, typer.Option(help="Folder of `hma serve`, whose catalog it is; HMA_DATABASE_URL wins.")
]
HERE = Path("hma-data")


class Format(StrEnum):
    """A form that files of banks can have."""

    JSONL = "jsonl"
    CSV = "csv"


def import_hma(
    database_url: Annotated[
        str,
        typer.Argument(
            metavar="DATABASE_URL",
            envvar="DATABASE_URI",
            show_envvar=True,
            help="HMA's: postgresql://user:password@host/name.",
        ),
    ],
    data: Data = HERE,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Undo what was changed here, and not in HMA.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move everything over from a running HMA, keeping ids. Run it again to catch up."""
    from core.transfer.hma_database import opened
    from core.transfer.import_hma import HmaImport

    with opened(database_url) as hma, progress_bars() as show:
        services = _services(data, new=True)
        run = HmaImport(
            hma, services, report=_reporter(as_json), progress=show, overwrite=overwrite
        )
        outcome = run.run()
    if as_json:
        _print_outcome(outcome)
    else:
        _show_outcome(outcome)
    if not outcome.complete:
        raise typer.Exit(1)


def export(
    banks: Annotated[list[str] | None, typer.Argument(help="Banks, or else all.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.JSONL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else standard output.")
    ] = None,
    data: Data = HERE,
) -> None:
    """Write banks and their content to a file."""
    from core.transfer import csv_table, jsonl
    from core.transfer.export_banks import export_banks

    write = {Format.JSONL: jsonl.write, Format.CSV: csv_table.write}[form]
    lines = export_banks(_services(data, new=False), banks or ())
    if output is None:
        write(lines, sys.stdout)
        return
    partial = output.with_name(f"{output.name}.part")  # so that no half of it looks like all of it
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            write(lines, file)
        partial.replace(output)
    except OSError as error:
        raise BadInput(f"{output} cannot be written: {error.strerror}") from error


def import_file(
    file: Annotated[
        Path, typer.Argument(help="JSON lines, CSV or a bare list; - is standard input.")
    ],
    bank: Annotated[
        str | None, typer.Option(help="The bank for all of it; else those that the file names.")
    ] = None,
    signal_type: Annotated[
        str | None, typer.Option("--type", help="Signal type of a bare list; else it is guessed.")
    ] = None,
    keep_ids: Annotated[
        bool, typer.Option("--keep-ids", help="Content keeps the ids that the file gives it.")
    ] = False,
    data: Data = HERE,
    as_json: Json = False,
) -> None:
    """Read banks, content or bare hashes from a file. What is there already is not added again."""
    from core.transfer.import_file import FileImport

    with _opened(file) as lines, progress_bars() as show:
        run = FileImport(
            _services(data, new=True),
            bank,
            signal_type,
            keep_ids=keep_ids,
            report=_reporter(as_json),
            progress=lambda number: show("reading lines", number, 0),
        )
        imported = run.run(lines)
    if as_json:
        print_json({"kind": "summary", **asdict(imported)})
    else:
        print(
            f"{imported.added} contents added, {imported.there} were there already, "
            f"{imported.problems} lines left out"
        )
    if imported.problems:
        raise typer.Exit(1)


def _services(data: Path, *, new: bool) -> "Services":
    """Those of the settings, or of the catalog in `data`, which is made if `new`."""
    from core.services import Services

    settings = Settings.from_env()
    if settings.database_url is not None:
        return Services(settings)
    catalog = data.resolve() / "catalog.db"
    if not new and not catalog.exists():
        raise Misconfigured(
            f"there is no catalog in {data}: say where with --data or HMA_DATABASE_URL"
        )
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{data} cannot be used: {error.strerror}") from error
    given = settings.model_dump(include=settings.model_fields_set)
    return Services(Settings(**given, database_url=f"sqlite:///{catalog}"))


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """Undecodable bytes come through as what no signal and no note may hold."""
    try:
        if str(file) == "-":
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
            yield sys.stdin
            return
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            yield lines
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from error


def _reporter(as_json: bool) -> "Callable[[Problem], None]":
    def report(problem: "Problem") -> None:
        if as_json:
            print_json({"kind": "problem", **asdict(problem)})
        else:
            complain(f"{problem.what}: {problem.why}")

    return report


def _print_outcome(outcome: "Outcome") -> None:
    for row in outcome.table:
        print_json({"kind": "count", **asdict(row), "same": row.same})
    summary = {"complete": outcome.complete, "written": outcome.written}
    counts = {"problems": outcome.problems, "differences": outcome.differences}
    print_json({"kind": "summary", **summary, **counts})


def _show_outcome(outcome: "Outcome") -> None:
    table = Table(title="HMA and here")
    for name in ("bank", "signals", "in HMA", "moved", "made here", ""):
        table.add_column(name, justify="left" if name in ("bank", "signals", "") else "right")
    for row in outcome.table:
        table.add_row(*_cells(row))
    Console(soft_wrap=True, highlight=False).print(table)
    written = ", ".join(f"{count} {name}" for name, count in outcome.written.items())
    print(f"written in this run: {written}")
    if outcome.complete:
        print("both sides are the same")
    else:
        complain(
            f"{outcome.problems} problems and {outcome.differences} differences, listed above: "
            "see docs/moving.md"
        )


def _cells(row: "Row") -> tuple[str, ...]:
    kind = row.signal_type or "(contents)"
    counts = (str(row.there), str(row.here), str(row.made_here))
    return (row.bank or "(in no bank)", kind, *counts, "" if row.same else "differs")
