"""`hma export`: banks and their content to a file."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core.errors import BadInput
from local_runtime.commands.options import DATA, Data
from local_runtime.commands.transfer.catalog_folder import open_services


class FileFormat(StrEnum):
    """A form that files of banks can have."""

    JSONL = "jsonl"
    CSV = "csv"


def export(
    banks: Annotated[list[str] | None, typer.Argument(help="Banks, or else all.")] = None,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="How to write them.")
    ] = FileFormat.JSONL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else standard output.")
    ] = None,
    data: Data = DATA,
) -> None:
    """Write banks and their content to a file."""
    from core.transfer import csv_table, jsonl
    from core.transfer.export_banks import export_banks

    write = {FileFormat.JSONL: jsonl.write, FileFormat.CSV: csv_table.write}[file_format]
    lines = export_banks(open_services(data, new=False).catalog, banks or ())
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
