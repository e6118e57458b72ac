"""The `hma` command.

Results go to standard output, one JSON object a line with `--json`; all else, errors too, goes
to standard error. The exit code is 0 if and only if everything that was asked for was done.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from core.errors import HmaError, Unavailable
from core.settings import Settings
from local_runtime.commands import asking as commands
from local_runtime.commands import transfer as moving
from local_runtime.commands.client import Client

if TYPE_CHECKING:
    from local_runtime.serve import Serving

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find copies of known images and videos: serve, bank, match.",
)
bank = typer.Typer(no_args_is_help=True, help="List banks, make one, add photos and videos.")
app.command(name="hash")(commands.hash_files)
app.command()(commands.match)
app.add_typer(bank, name="bank")
bank.command(name="list")(commands.list_banks)
bank.command(name="create")(commands.create_bank)
bank.command(name="add")(commands.add_to_bank)
app.command()(commands.publish)
app.command()(commands.status)
app.command()(moving.import_hma)
app.command()(moving.export)
app.command(name="import")(moving.import_file)


def main() -> None:
    """The entry point: an error becomes a message and an exit code."""
    try:
        app()
    except HmaError as error:
        commands.complain(error.message)
        sys.exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 5100,
    data: Annotated[Path, typer.Option(help="Folder that keeps everything.")] = Path("hma-data"),
    store: Annotated[
        str | None,
        typer.Option(help="URL, or endpoint http://host:port, or minio, seaweedfs, files."),
    ] = None,
    publish_every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between scheduled publications.")
    ] = 10.0,
    fetch_every: Annotated[
        float, typer.Option(min=1, help="Seconds between scheduled fetches of exchanges.")
    ] = 60.0,
    demo: Annotated[
        bool, typer.Option("--demo", help="Bank photographs if no bank exists; match copies.")
    ] = False,
    development: Annotated[
        bool, typer.Option("--development", help="Add /dev routes, which fill and empty it.")
    ] = False,
) -> None:
    """Serve all functions on one port, with an object store beside them."""
    from local_runtime.demo.photographs import (  # here, so that the other commands start quicker
        curl_lines,
        show,
    )
    from local_runtime.serve import serve

    console = Console(soft_wrap=True, highlight=False)

    def attend(serving: "Serving") -> bool:
        with Client(serving.url, Settings.from_env().api_tokens) as client:
            client.await_ready()
            _describe(serving, console)
            if demo:
                show(client, serving.data / "copies", console)
                console.print(
                    "\nTry it:", *curl_lines(serving.url, serving.data / "copies"), sep="\n"
                )
            console.print(f"\nServing at {serving.url} until Ctrl-C")
        return True

    serve(
        Settings.from_env(),
        host,
        port,
        data,
        store,
        publish_every,
        commands.complain,
        attend,
        fetch_every,
        development,
    )


class Demo(StrEnum):
    """What there is to be shown."""

    PHOTOGRAPHS = "photographs"
    EXCHANGES = "exchanges"


@app.command()
def demo(
    what: Annotated[
        Demo,
        typer.Argument(
            help="Altered copies of photographs that match, or lists of signals that are fetched "
            "from fakes of ThreatExchange, NCMEC, StopNCII and Tech Against Terrorism."
        ),
    ] = Demo.PHOTOGRAPHS,
    store: Annotated[str | None, typer.Option(help="As for serve.")] = None,
    signals: Annotated[
        int, typer.Option(min=1000, help="How many each of the fake exchanges has.")
    ] = 5000,
) -> None:
    """Show what this does, on an empty server of its own, and end."""
    from local_runtime.demo import exchanges as demo_exchanges
    from local_runtime.demo import photographs as demo
    from local_runtime.serve import serve

    console = Console(soft_wrap=True, highlight=False)
    settings = Settings.from_env()
    sound = False

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hma-demo-"))
        show: Callable[[Client], bool]
        if what is Demo.EXCHANGES:
            fakes = stack.enter_context(demo_exchanges.fake_exchanges(signals))
            there = {"exchange_endpoints": demo_exchanges.endpoints(fakes)}
            settings = settings.model_copy(update=there)
            show = partial(demo_exchanges.show_exchanges, fakes=fakes, console=console)
        else:
            show = partial(demo.show, folder=Path(folder, "copies"), console=console)

        def attend(serving: "Serving") -> bool:
            nonlocal sound
            with Client(serving.url, settings.api_tokens) as client:
                client.await_ready()
                _describe(serving, console)
                sound = show(client)
            return False

        serve(settings, "127.0.0.1", 0, Path(folder), store, 10, commands.complain, attend)
    if not sound:
        raise Unavailable("the demonstration failed: not everything matched as it should")


def _describe(serving: "Serving", console: Console) -> None:
    console.print(f"object store  {serving.store.described}")
    if serving.store.console:
        console.print(f"console       {serving.store.console}")
    console.print(f"data          {serving.data}")
    console.print(f"API           {serving.url}/openapi/swagger")


if __name__ == "__main__":
    main()
