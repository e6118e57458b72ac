"""Segment files on the local disk: fetched once, verified, then mapped by every process.

A file is named by its SHA-256, so workers on one machine share it whatever index it belongs to,
and a cache can be deleted at any time.
"""

import hashlib
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.errors import SegmentCorrupt
from core.index.snapshot import FileRef
from core.store import ObjectStore

RANGE_BYTES = 8 << 20
PARALLEL_RANGES = 4
KEEP_SECONDS = 86_400.0


class DiskCache:
    """The cached files of one folder, which several processes may use at once."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def file(self, key: str, ref: FileRef) -> Path:
        """The local copy of the object `key`, fetched if it is absent or damaged.

        Raises:
            ObjectMissing: neither here nor in the store.
            SegmentCorrupt: the store's bytes do not have the checksum of `ref`.
            StoreUnavailable
        """
        path = self._folder / ref.sha256
        if path.exists():
            if _sha256(path) == ref.sha256:
                os.utime(path)
                return path
            path.unlink(missing_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="fetch-", delete=False) as file:
            fetched = Path(file.name)
        try:
            self._fetch(key, ref, fetched)
            if _sha256(fetched) != ref.sha256:
                raise SegmentCorrupt(
                    f"{key} does not have the checksum its snapshot names; restore that object "
                    "or run `hma publish --rebuild`"
                )
            fetched.replace(path)
        finally:
            fetched.unlink(missing_ok=True)
        return path

    def prune(self) -> None:
        """Delete what nobody opened for a day. A file that is mapped stays readable."""
        oldest = time.time() - KEEP_SECONDS
        for path in self._folder.glob("*"):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was faster

    def _fetch(self, key: str, ref: FileRef, path: Path) -> None:
        if ref.bytes <= RANGE_BYTES:
            path.write_bytes(self._store.get(key))
            return

        def fetch(start: int) -> None:
            data = self._store.get_range(key, start, min(start + RANGE_BYTES, ref.bytes))
            with path.open("r+b") as file:
                file.seek(start)
                file.write(data)

        with ThreadPoolExecutor(PARALLEL_RANGES) as pool:
            list(pool.map(fetch, range(0, ref.bytes, RANGE_BYTES)))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
