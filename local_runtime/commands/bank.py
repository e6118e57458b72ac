"""`hma bank`: list banks, make one, add photos and videos."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import Forbidden, HmaError, NotFound
from local_runtime.commands.media_files import choose_content_type, list_files, work_on_files
from local_runtime.commands.options import ContentType, Files, Json, Url
from local_runtime.commands.printing import complain, exit_if, print_json
from local_runtime.commands.server_client import connect


def list_banks(url: Url = None, as_json: Json = False) -> None:
    """Print all banks, each with the share of lookups that it takes part in."""
    with connect(url) as client:
        for bank in client.banks():
            if as_json:
                print_json(bank)
            else:
                print(bank["name"], bank["matching_enabled_ratio"])


def create_bank(
    name: Annotated[str, typer.Argument(help="UPPER_WITH_UNDERSCORE.")],
    ratio: Annotated[
        float, typer.Option(min=0, max=1, help="Share of lookups that it takes part in.")
    ] = 1.0,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make an empty bank."""
    with connect(url) as client:
        try:
            bank = client.create_bank(name, ratio)
        except Forbidden as error:
            raise Forbidden(f"{error.message}: fill it with `hma bank add {name} FILE…`") from error
        if as_json:
            print_json(bank)
        else:
            print(f"made {name}: fill it with `hma bank add {name} FILE…`")


def add_to_bank(
    name: Annotated[str, typer.Argument(metavar="BANK", help="The bank to put them in.")],
    files: Files,
    content_type: ContentType = None,
    note: Annotated[str | None, typer.Option(help="A note kept with each of them.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Put photos and videos into a bank, so that copies of them match."""
    failed = False
    with connect(url) as client:
        try:
            client.bank(name)
        except NotFound as error:
            raise NotFound(f"{error.message}: make it with `hma bank create {name}`") from error

        def add_file(file: Path) -> dict[str, Any]:
            return client.add(name, file, choose_content_type(file, content_type), note)

        for file, content in work_on_files(list_files(files), add_file, "banking"):
            if isinstance(content, HmaError):
                failed = complain(f"{file}: {content.message}")
            elif as_json:
                print_json({"file": str(file), **content})
            else:
                print(f"{file}: content {content['id']} of {name}")
    exit_if(failed)
