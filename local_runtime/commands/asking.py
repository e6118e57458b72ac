"""The commands that read files or ask a server, each of them one call and its printed answer."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import BadInput, Forbidden, HmaError, NotFound, Unavailable
from core.settings import Settings
from local_runtime.commands.client import READY, Client
from local_runtime.commands.files import chosen, each, kind_of

Files = Annotated[list[Path], typer.Argument(help="Files, or folders of photos and videos.")]
Type = Annotated[str | None, typer.Option("--type", help="photo or video, if names don't tell.")]
Url = Annotated[str | None, typer.Option("--url", help="The server; else what HMA_URL says.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def complain(problem: str) -> bool:
    """Say on standard error what is wrong; True, for `failed = complain(…)`."""
    print(f"hma: {problem}", file=sys.stderr, flush=True)
    return True


def hash_files(files: Files, kind: Type = None, as_json: Json = False) -> None:
    """Print the signals of photos and videos. Needs no server."""
    from core.services import Services
    from core.signal_types.hash_content import hash_content

    services = Services(Settings.from_env())

    def hashed(file: Path) -> Mapping[str, str]:
        content_type = kind_of(file, kind)
        return hash_content(services.signal_types, services.settings, content_type, file).signals

    failed = False
    for file, signals in each(chosen(files), hashed, "hashing"):
        if isinstance(signals, HmaError):
            failed = complain(f"{file}: {signals.message}")
        elif as_json:
            print_json({"file": str(file), "signals": signals})
        else:
            for signal_type, signal in signals.items():
                print(signal or "(too little detail)", signal_type, file)
    _end(failed)


def match(files: Files, kind: Type = None, url: Url = None, as_json: Json = False) -> None:
    """Print what photos and videos are copies of."""
    failed = False
    with _client(url) as client:
        results = each(
            chosen(files), lambda file: client.match(file, kind_of(file, kind)), "matching"
        )
        for file, matches in results:
            if isinstance(matches, HmaError):
                failed = complain(f"{file}: {matches.message}")
            elif as_json:
                print_json({"file": str(file), "matches": matches})
            elif not matches:
                print(f"{file}: no match")
            else:
                for one in matches:
                    print(
                        f"{file}: content {one['bank_content_id']} of {one['bank']},"
                        f" {one['signal_type']} distance {one['distance']}"
                    )
    _end(failed)


def list_banks(url: Url = None, as_json: Json = False) -> None:
    """Print all banks, each with the share of lookups that it takes part in."""
    with _client(url) as client:
        for one in client.banks():
            if as_json:
                print_json(one)
            else:
                print(one["name"], one["matching_enabled_ratio"])


def create_bank(
    name: Annotated[str, typer.Argument(help="UPPER_WITH_UNDERSCORE.")],
    ratio: Annotated[
        float, typer.Option(min=0, max=1, help="Share of lookups that it takes part in.")
    ] = 1.0,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make an empty bank."""
    with _client(url) as client:
        try:
            made = client.create_bank(name, ratio)
        except Forbidden as error:
            raise Forbidden(f"{error.message}: fill it with `hma bank add {name} FILE…`") from error
        if as_json:
            print_json(made)
        else:
            print(f"made {name}: fill it with `hma bank add {name} FILE…`")


def add_to_bank(
    name: Annotated[str, typer.Argument(metavar="BANK", help="The bank to put them in.")],
    files: Files,
    kind: Type = None,
    note: Annotated[str | None, typer.Option(help="A note kept with each of them.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Put photos and videos into a bank, so that copies of them match."""
    failed = False
    with _client(url) as client:
        try:
            client.bank(name)
        except NotFound as error:
            raise NotFound(f"{error.message}: make it with `hma bank create {name}`") from error

        def added(file: Path) -> dict[str, Any]:
            return client.add(name, file, kind_of(file, kind), note)

        for file, content in each(chosen(files), added, "banking"):
            if isinstance(content, HmaError):
                failed = complain(f"{file}: {content.message}")
            elif as_json:
                print_json({"file": str(file), **content})
            else:
                print(f"{file}: content {content['id']} of {name}")
    _end(failed)


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
    with _client(url) as client:
        numbers = client.publish(rebuild=rebuild)
    if as_json:
        print_json(numbers)
    else:
        for signal_type, number in numbers.items():
            print(f"{signal_type}: snapshot {number}")


def _rebuild(workers: int | None, dask: str | None, as_json: bool) -> None:
    from local_runtime.commands.rebuild import chosen_way, rebuild

    for made in rebuild(chosen_way(workers, dask)):
        if as_json:
            print_json(made)
        else:
            print(
                "{signal_type}: snapshot {number} of {contents} contents in {segments} segments, "
                "{seconds} s".format(**made)
            )


def status(url: Url = None, as_json: Json = False) -> None:
    """Print whether the server can answer lookups, and how large each index is."""
    with _client(url) as client:
        said = client.status()
        indices = client.index_status()
    if as_json:
        print_json({"url": client.url, "status": said, "index": indices})
    else:
        print(client.url, said)
        for signal_type, index in indices.items():
            size = f"{index['size']} contents" if index["present"] else "no index yet"
            print(f"{signal_type}: {size}")
    if said != READY:
        raise Unavailable(f"the server cannot answer lookups: {said}. Try `hma publish`")


def _client(url: str | None) -> Client:
    settings = Settings.from_env()
    return Client(url or settings.url, settings.api_tokens)


def print_json(value: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, sort_keys=True), flush=True)


def _end(failed: bool) -> None:
    if failed:
        raise typer.Exit(1)
