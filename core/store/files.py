"""An object store in a local folder, for one machine."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from core.errors import ObjectExists, ObjectMissing, StoreUnavailable
from core.store.protocol import ObjectInfo, check_key, in_order

COPIED_AT_ONCE = 1 << 20


class FileStore:
    """A store in a local folder, for one machine.

    Not on fsspec, whose local writes can be seen half done, are not kept through a power cut, and
    whose listing leaves out a folder that it may not read. What a crash leaves behind lies in
    `.drafts` and may be deleted.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str) -> bytes:
        with self._reading(key) as file:
            return file.read()

    def get_range(self, key: str, start: int, end: int) -> bytes:
        if not 0 <= start <= end:
            raise ValueError(f"not a range: {start} to {end}")
        with self._reading(key) as file:
            file.seek(start)
            return file.read(end - start)

    def create(self, key: str, data: bytes) -> None:
        self._write(key, BytesIO(data), os.link)

    def put(self, key: str, data: bytes) -> None:
        self._write(key, BytesIO(data), os.replace)

    def upload(self, key: str, source: Path) -> None:
        with source.open("rb") as file:
            self._write(key, file, os.replace)

    def list(self, prefix: str) -> list[ObjectInfo]:
        check_key(f"{prefix}x")
        start = self._root / prefix.rpartition("/")[0]

        def fail(error: OSError) -> None:
            nothing = isinstance(error, FileNotFoundError | NotADirectoryError)
            if not nothing or Path(error.filename) != start:
                raise error

        objects = []
        with self._translating():
            self._root.stat()
            for folder, folders, names in os.walk(start, onerror=fail):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for path in (Path(folder, name) for name in names):
                    key = path.relative_to(self._root).as_posix()
                    with suppress(FileNotFoundError):  # deleted since
                        if key.startswith(prefix):
                            objects.append(ObjectInfo(key, path.stat().st_size))
        return in_order(objects)

    def delete(self, key: str) -> None:
        path = self._root / check_key(key)
        with self._translating():
            self._root.stat()
            path.unlink(missing_ok=True)

    @contextmanager
    def _reading(self, key: str) -> Iterator[BinaryIO]:
        path = self._root / check_key(key)
        with self._translating():
            try:
                file = path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                self._root.stat()
                raise ObjectMissing(f"{key} does not exist") from error
            with file:
                yield file

    def _write(self, key: str, source: BinaryIO, show: Callable[[Path, Path], None]) -> None:
        """Write a draft and then `show` it under its name: linked, or in place of what was."""
        path = self._root / check_key(key)
        draft = self._root / ".drafts" / uuid4().hex
        with self._translating():
            draft.parent.mkdir(exist_ok=True)
            try:
                with draft.open("xb") as file:
                    shutil.copyfileobj(source, file, COPIED_AT_ONCE)
                    file.flush()
                    os.fsync(file.fileno())
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    show(draft, path)
                except FileExistsError as error:
                    raise ObjectExists(f"{key} exists") from error
                _keep_names(path.parent)
            finally:
                draft.unlink(missing_ok=True)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(
                f"the object store's folder {self._root} is not usable ({error}): create it,"
                " mount its disk, or correct HMA_STORE_URL"
            ) from error


def _keep_names(folder: Path) -> None:
    """Make the names in a folder, not just the bytes they stand for, survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
