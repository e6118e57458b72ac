"""`hma serve`: every function on one port, until Ctrl-C."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from core.settings import Settings
from functions.table import find_schedule
from local_runtime.commands.options import DATA
from local_runtime.commands.printing import complain
from local_runtime.commands.server_client import ServerClient

if TYPE_CHECKING:
    from local_runtime.serve import Serving


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 5100,
    data: Annotated[Path, typer.Option(help="Folder that keeps everything.")] = DATA,
    store: Annotated[
        str | None,
        typer.Option(help="URL, or endpoint http://host:port, or minio, seaweedfs, files."),
    ] = None,
    publish_every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between scheduled publications.")
    ] = find_schedule("publish").seconds,
    fetch_every: Annotated[
        float, typer.Option(min=1, help="Seconds between scheduled fetches of exchanges.")
    ] = find_schedule("fetch").seconds,
    demo: Annotated[
        bool, typer.Option("--demo", help="Bank photographs if no bank exists; match copies.")
    ] = False,
    development: Annotated[
        bool, typer.Option("--development", help="Add /dev routes, which fill and empty it.")
    ] = False,
) -> None:
    """Serve all functions on one port, with an object store beside them."""
    from local_runtime import serve as runtime  # here, so that the other commands start quicker
    from local_runtime.demo.photographs import curl_lines, show

    console = Console(soft_wrap=True, highlight=False)

    def greet(serving: "Serving") -> bool:
        with ServerClient(serving.url, Settings.from_env().api_tokens) as client:
            client.await_ready()
            describe(serving, console)
            if demo:
                copies = serving.data / "copies"
                show(client, copies, console)
                console.print("\nTry it:", *curl_lines(serving.url, copies), sep="\n")
            console.print(f"\nServing at {serving.url} until Ctrl-C")
        return True

    runtime.serve(
        Settings.from_env(),
        host,
        port,
        data,
        store,
        publish_every,
        complain,
        greet,
        fetch_every,
        development,
    )


def describe(serving: "Serving", console: Console) -> None:
    """Print where a runtime that is up keeps and offers what."""
    console.print(f"object store  {serving.store.described}")
    if serving.store.console:
        console.print(f"console       {serving.store.console}")
    console.print(f"data          {serving.data}")
    console.print(f"API           {serving.url}/openapi/swagger")
