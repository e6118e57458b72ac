"""`hma import-hma`: everything that a running HMA has, moved into the catalog here."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from local_runtime.commands.options import DATA, Data, Json
from local_runtime.commands.printing import complain, exit_if, print_json
from local_runtime.commands.progress_bars import progress_bars
from local_runtime.commands.transfer.catalog_folder import open_services
from local_runtime.commands.transfer.problems import reporter

if TYPE_CHECKING:
    from core.transfer.import_hma import Outcome
    from core.transfer.reconcile import CountRow


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
    data: Data = DATA,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Undo what was changed here, and not in HMA.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move everything over from a running HMA, keeping ids. Run it again to catch up."""
    from core.transfer.hma_database import open_hma_database
    from core.transfer.import_hma import HmaImport

    with open_hma_database(database_url) as hma, progress_bars() as show:
        services = open_services(data, new=True)
        run = HmaImport(
            hma,
            services.catalog,
            services.signal_types,
            services.exchange_apis,
            services.credentials,
            report=reporter(as_json),
            progress=show,
            overwrite=overwrite,
        )
        outcome = run.run()
    if as_json:
        _print_outcome(outcome)
    else:
        _show_outcome(outcome)
    exit_if(not outcome.complete)


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


def _cells(row: "CountRow") -> tuple[str, ...]:
    kind = row.signal_type or "(contents)"
    counts = (str(row.there), str(row.here), str(row.made_here))
    return (row.bank or "(in no bank)", kind, *counts, "" if row.same else "differs")
