"""What media are read from, and whose fault it is when that fails.

Knows nothing of what is in them.
"""

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

MediaSource: TypeAlias = bytes | Path | IO[bytes]
"""A file's content, the path of a file, or an open file that can be read from its start again."""


@contextmanager
def open_source(source: MediaSource) -> Iterator[IO[bytes]]:
    """A source as an open file, at its beginning; one that the caller opened stays open.

    Raises:
        OSError: it cannot be opened, or not be read from its start again.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    elif isinstance(source, bytes):
        yield io.BytesIO(source)
    else:
        source.seek(0)
        yield source


def is_machine_fault(error: Exception) -> bool:
    """Whether this is the operating system's word on this machine, and not on what was sent."""
    sent = (None, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EINVAL)
    return isinstance(error, OSError) and error.errno not in sent
