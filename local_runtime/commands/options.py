"""The arguments and options that several commands have, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path], typer.Argument(help="Files, or folders of photos and videos.")]
ContentType = Annotated[
    str | None, typer.Option("--type", help="photo or video, if names don't tell.")
]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="HMA_URL", show_envvar=True, help="The server to ask."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Data = Annotated[
    Path, typer.Option(help="Folder of `hma serve`, whose catalog it is; HMA_DATABASE_URL wins.")
]
DATA = Path("hma-data")
"""The folder that `hma serve` keeps everything in unless told otherwise."""
