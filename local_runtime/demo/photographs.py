"""The first look: photographs are banked, and altered copies of them matched, all over HTTP."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from local_runtime.commands.server_client import ServerClient
from local_runtime.demo.photos import ALTERATIONS, BANKED, OTHER, alter_photo, photo

BANK = "PHOTOGRAPHS"


def show(client: ServerClient, folder: Path, console: Console) -> bool:
    """Bank photographs if there is no bank at all; if they are there, match copies of them.

    Args:
        folder: where the copies are left, for a try by hand.

    Returns:
        Whether each copy was found as what it is, and what is no copy was not.
    """
    banks = [bank["name"] for bank in client.banks()]
    if not banks:
        client.create_bank(BANK)
        for name in _track_photographs("banking photographs", console):
            client.add(BANK, photo(name), "photo", note=name)
        client.publish()
    elif BANK not in banks:
        return True
    return _match_copies(client, folder, console)


def _match_copies(client: ServerClient, folder: Path, console: Console) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    table = Table(title="Distance of altered copies from what is banked: 31 and less is a match")
    table.add_column("photograph", no_wrap=True)
    for alteration in ALTERATIONS:
        table.add_column(alteration, justify="right")
    all_as_expected = True
    for name in _track_photographs("matching copies", console):
        distances = []
        for alteration in ALTERATIONS:
            copy = folder / _copy_name(name, alteration)
            copy.write_bytes(alter_photo(name, alteration))
            distance_of = _distances(client.match(copy, "photo"))
            all_as_expected &= distance_of.keys() == {name}
            distances.append(distance_of.get(name, "no match"))
        table.add_row(name, *distances)
    other = _distances(client.match(photo(OTHER), "photo"))
    console.print(table)
    console.print(f"{OTHER} is another picture of the same scene: {'a' if other else 'no'} match")
    return all_as_expected and not other


def curl_lines(url: str, folder: Path) -> Sequence[str]:
    """Commands to paste into a shell, once `show` has left copies in `folder`."""
    copy = folder / _copy_name("rocket.jpg", "half size")
    return (
        f"curl {url}/status",
        f"curl {url}/c/banks",
        f"curl -F photo=@{shlex.quote(str(copy))} {url}/h/hash",
        f"curl -F photo=@{shlex.quote(str(copy))} {url}/m/lookup",
    )


def _copy_name(name: str, alteration: str) -> str:
    """`rocket.jpg`, `half size` → `rocket-half-size.jpg`."""
    words = alteration.replace("%", "percent").split()
    return "-".join((Path(name).stem, *words)) + ".jpg"


def _track_photographs(doing: str, console: Console) -> Iterable[str]:
    """The photographs, behind a progress bar on a terminal."""
    quiet = not console.is_terminal
    return track(BANKED, doing, console=console, transient=True, disable=quiet)


def _distances(matches: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Which of the photographs are among `matches`, and how far each is."""
    return {
        match["note"]: match["distance"]
        for match in matches
        if match["bank"] == BANK and match.get("note") in BANKED
    }
