"""This process's memory as an fsspec filesystem."""

import threading
from pathlib import Path
from typing import Any

from fsspec.implementations.memory import MemoryFileSystem


class Memory(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """fsspec's memory filesystem, made safe for threads.

    As it comes, two can create one key, for it looks first and writes then; an upload is seen empty
    at first; and a listing breaks when somebody writes meanwhile. Its contents are this process's:
    whoever opens the same name finds the same objects.
    """

    _sole_use = threading.Lock()

    def find(self, path: str, **options: Any) -> Any:
        with self._sole_use:
            return super().find(path, **options)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        with self._sole_use:
            super().pipe_file(path, value, mode=mode)

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def rm_file(self, path: str) -> None:
        with self._sole_use:
            super().rm_file(path)
