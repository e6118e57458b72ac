"""The files that a command is given: which they are, and work on each of them."""

import mimetypes
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

from core.errors import BadInput, HmaError

T = TypeVar("T")


def list_files(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths`, and every photo and video in those that are folders, by name.

    Raises:
        BadInput: there is none.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            within = (file for file in path.rglob("*") if file.is_file())
            files += sorted(file for file in within if guess_content_type(file))
        else:
            files.append(path)
    if not files:
        names = ", ".join(map(str, paths))
        raise BadInput(f"no photo or video in {names}: name the files that you mean")
    return files


def choose_content_type(file: Path, wanted: str | None) -> str:
    """The content type of `file`: `wanted` if it is not None, else by the file's name.

    Raises:
        BadInput: the name does not tell.
    """
    content_type = wanted or guess_content_type(file)
    if content_type is None:
        raise BadInput("its name is not one of a photo or video: say which with --type photo")
    return content_type


def guess_content_type(file: Path) -> str | None:
    """`photo` or `video` by the file's name, None if it is neither."""
    main = (mimetypes.guess_type(file.name, strict=False)[0] or "").partition("/")[0]
    return {"image": "photo", "video": "video"}.get(main)


def work_on_files(
    files: Sequence[Path], do: Callable[[Path], T], doing: str
) -> Iterator[tuple[Path, T | HmaError]]:
    """What `do` returns or raises for each file, in order, several at once.

    A terminal shows a progress bar meanwhile, on standard error.
    """

    def attempt(file: Path) -> T | HmaError:
        try:
            file.open("rb").close()
            return do(file)
        except HmaError as error:
            return error
        except OSError as error:
            return BadInput(f"cannot be read: {error.strerror}")

    console = Console(stderr=True)
    pool = ThreadPoolExecutor(max(2, os.cpu_count() or 1))
    quiet = len(files) < 2 or not console.is_terminal
    try:
        with Progress(console=console, transient=True, disable=quiet) as progress:
            results = progress.track(pool.map(attempt, files), len(files), description=doing)
            yield from zip(files, results, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
