"""What an object store can do, and which keys it takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing says of one object; `size` is in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """Objects under one root, each read and written whole.

    Keys are parts joined by "/", as in `index/pdq/latest.json`. No part is empty or begins with a
    dot (ValueError), and no key is the folder of another (some stores refuse). The root itself, a
    bucket or folder, must exist: we cannot tell one that is gone, a disk not mounted, from one
    that never was.

    Every method may raise StoreUnavailable, in bounded time. The same call may be made again; a
    write may have happened, or may still happen later, when the store comes to what we no longer
    wait for. Any thread and any forked process may call.
    """

    def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectMissing: the store says that there is none.
        """
        ...

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes `start` up to but not including `end`, fewer where the object ends before that.

        Raises:
            ObjectMissing: the store says that there is none (an empty range does not ask).
        """
        ...

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, of some MB at most; of all who try, one succeeds.

        The rest never see a part of it. A request whose answer was lost is sent again, so our own
        success can look like another's: who must know writes down a writer's id and compares.

        Raises:
            ObjectExists: there is one already, and it is unchanged.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write an object in place of the one there was. Readers see either, never a mixture."""
        ...

    def upload(self, key: str, source: Path) -> None:
        """`put` of a file of any size, read part by part.

        Raises:
            OSError: the file cannot be read.
        """
        ...

    def list(self, prefix: str) -> list[ObjectInfo]:
        """All objects whose key begins with this string, folder or not, sorted by key."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; it is fine if there is none."""
        ...


def check_key(key: str) -> str:
    """`key`, if every store can hold it as it is."""
    parts = key.split("/")
    if (
        any(not part.isprintable() or part[:1] in ("", ".") for part in parts)
        or max(len(part.encode()) for part in parts) > 255
        or len(key.encode()) > 900
        or "\\" in key  # SeaweedFS would make it a "/"
        or "?versionId=" in key  # s3fs would cut it off
    ):
        raise ValueError(f"not a key: {key!r}")
    return key


def in_order(objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """As `list` returns them: by key."""
    return sorted(objects, key=lambda info: info.key)
