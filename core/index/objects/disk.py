"""The local disk, which may be full, read-only or gone: then nobody knows, and lookups go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Unavailable


@contextmanager
def usable_disk(place: Path | str, setting: str) -> Iterator[None]:
    """While files are made or read there.

    Args:
        setting: the variable that says where.

    Raises:
        Unavailable: the operating system refuses, for want of space say.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the local disk at {place} is not usable ({error}): make room, mount it, or let "
            f"{setting} name another folder"
        ) from error
