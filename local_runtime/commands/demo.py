"""`hma demo`: what this does, shown on an empty server of its own."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from core.errors import Unavailable
from core.settings import Settings
from local_runtime.commands.printing import complain
from local_runtime.commands.serve import describe
from local_runtime.commands.server_client import ServerClient

if TYPE_CHECKING:
    from local_runtime.serve import Serving


class Demo(StrEnum):
    """What there is to be shown."""

    PHOTOGRAPHS = "photographs"
    EXCHANGES = "exchanges"


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
    from local_runtime import serve as runtime
    from local_runtime.demo import exchanges, photographs

    console = Console(soft_wrap=True, highlight=False)
    settings = Settings.from_env()
    everything_matched = False

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hma-demo-"))
        show: Callable[[ServerClient], bool]
        if what is Demo.EXCHANGES:
            fakes = stack.enter_context(exchanges.fake_exchanges(signals))
            endpoints = {"exchange_endpoints": exchanges.endpoints(fakes)}
            settings = settings.model_copy(update=endpoints)
            show = partial(exchanges.show_exchanges, fakes=fakes, console=console)
        else:
            show = partial(photographs.show, folder=Path(folder, "copies"), console=console)

        def show_and_end(serving: "Serving") -> bool:
            nonlocal everything_matched
            with ServerClient(serving.url, settings.api_tokens) as client:
                client.await_ready()
                describe(serving, console)
                everything_matched = show(client)
            return False

        runtime.serve(settings, "127.0.0.1", 0, Path(folder), store, 10, complain, show_and_end)
    if not everything_matched:
        raise Unavailable("the demonstration failed: not everything matched as it should")
