"""`hma import`: banks, content or bare hashes from a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer

from core.errors import BadInput
from local_runtime.commands.options import DATA, Data, Json
from local_runtime.commands.printing import exit_if, print_json
from local_runtime.commands.progress_bars import progress_bars
from local_runtime.commands.transfer.catalog_folder import open_services
from local_runtime.commands.transfer.problems import reporter


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
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Read banks, content or bare hashes from a file. What is there already is not added again."""
    from core.transfer.import_file import FileImport

    with _open_lines(file) as lines, progress_bars() as show:
        services = open_services(data, new=True)
        run = FileImport(
            services.catalog,
            services.signal_types,
            bank,
            signal_type,
            keep_ids=keep_ids,
            report=reporter(as_json),
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
    exit_if(bool(imported.problems))


@contextmanager
def _open_lines(file: Path) -> Iterator[TextIO]:
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
