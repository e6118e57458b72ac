"""`hma publish`: what the catalog holds becomes the newest snapshots, by the server or here."""

from typing import Annotated

import typer

from core.errors import BadInput
from local_runtime.commands.options import Json, Url
from local_runtime.commands.printing import print_json
from local_runtime.commands.server_client import connect


def publish(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make every index anew from the whole catalog.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --rebuild: do it here, on so many processes, and not on the server. "
            "HMA_DATABASE_URL and HMA_STORE_URL say what of.",
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With --rebuild: do it on the Dask cluster whose scheduler is there.",
        ),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Publish now what the catalog holds, and print the newest snapshots."""
    if workers is not None or dask is not None:
        if not rebuild:
            raise BadInput("--workers and --dask are for --rebuild: publishing changes is quick")
        _rebuild(workers, dask, as_json)
        return
    with connect(url) as client:
        numbers = client.publish(rebuild=rebuild)
    if as_json:
        print_json(numbers)
    else:
        for signal_type, number in numbers.items():
            print(f"{signal_type}: snapshot {number}")


def _rebuild(workers: int | None, dask: str | None, as_json: bool) -> None:
    from local_runtime.commands.rebuild import choose_runner, rebuild

    for rebuilt in rebuild(choose_runner(workers, dask)):
        if as_json:
            print_json(rebuilt)
        else:
            print(
                "{signal_type}: snapshot {number} of {contents} contents in {segments} segments, "
                "{seconds} s".format(**rebuilt)
            )
