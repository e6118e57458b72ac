"""Segment files on the local disk: fetched once, verified, then mapped by every process.

A file is named by its SHA-256, so workers on one machine share it whatever index it belongs to,
and a cache can be deleted at any time. What comes from the store is checked against that name.
Whenever a process opens a file again, it is checked against the sums of its blocks, which notice
any damaged bit at the speed of memory: 10M hashes in a third of a second instead of two.
"""

import hashlib
import logging
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from core.errors import SegmentCorrupt
from core.index.objects.disk import usable_disk
from core.index.objects.snapshot import FileRef
from core.store import ObjectStore

RANGE_BYTES = 8 << 20
PARALLEL_RANGES = 4
BLOCK_BYTES = 64 << 10
KEEP_SECONDS = 86_400.0

_log = logging.getLogger(__name__)


class DiskCache:
    """The cached files of one folder, which several processes may use at once."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def holds(self, ref: FileRef) -> bool:
        """Whether the file is here, as far as its length tells."""
        try:
            return (self._folder / ref.sha256).stat().st_size == ref.bytes
        except OSError:
            return False

    def file(self, key: str, ref: FileRef) -> Path:
        """The local copy of the object `key`, fetched if it is absent or damaged.

        Raises:
            ObjectMissing: neither here nor in the store.
            SegmentCorrupt: the store's bytes do not have the checksum of `ref`.
            StoreUnavailable
            Unavailable: it is not here, and the disk takes no file.
        """
        path = self._folder / ref.sha256
        sums = path.with_suffix(".sums")
        with usable_disk(self._folder, "HMA_CACHE_DIR"):
            if self._is_sound(path, sums, key):
                return path
            with self._draft() as draft, self._draft() as drafted_sums:
                drafted_sums.write_bytes(self._fetch(key, ref, draft))
                drafted_sums.replace(sums)
                draft.replace(path)
        return path

    def _is_sound(self, path: Path, sums: Path, key: str) -> bool:
        """Whether the file is here and undamaged; then it is kept for another day."""
        try:
            if sums.read_bytes() != BlockSums.of(path):
                _log.warning("%s is damaged: %s is fetched again", path, key)
                return False
        except (FileNotFoundError, NotADirectoryError):
            return False
        with suppress(OSError):  # of a disk that has become read-only
            os.utime(path)
            os.utime(sums)
        return True

    def prune(self) -> None:
        """Delete what nobody opened for a day. A file that is mapped stays readable."""
        oldest = time.time() - KEEP_SECONDS
        for path in self._folder.glob("*"):
            with suppress(OSError):  # another process was faster, or nothing can be deleted here
                if path.stat().st_mtime < oldest:
                    path.unlink()

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A new file, gone at the end unless it was moved to its place."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="draft-", delete=False) as file:
            path = Path(file.name)
        try:
            yield path
        finally:
            with suppress(OSError):  # what is in its way is said by whoever was writing
                path.unlink(missing_ok=True)

    def _fetch(self, key: str, ref: FileRef, draft: Path) -> bytes:
        """Write the object to `draft`, checked on its way; the sums of its blocks."""
        digest, sums = hashlib.sha256(), BlockSums(ref.bytes)
        with draft.open("wb") as file:
            for data in self._parts(key, ref):
                digest.update(data)
                sums.update(data)
                file.write(data)
        if digest.hexdigest() != ref.sha256:
            raise SegmentCorrupt(
                f"{key} does not have the checksum its snapshot names; restore that object "
                "or run `hma publish --rebuild`"
            )
        return sums.digest()

    def _parts(self, key: str, ref: FileRef) -> Iterator[bytes]:
        """The object in order, while the next few of its ranges are on their way."""
        if ref.bytes <= RANGE_BYTES:
            yield self._store.get(key)
            return
        ahead: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(PARALLEL_RANGES) as pool:
            for start in range(0, ref.bytes, RANGE_BYTES):
                end = min(start + RANGE_BYTES, ref.bytes)
                ahead.append(pool.submit(self._store.get_range, key, start, end))
                if len(ahead) > PARALLEL_RANGES:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


class BlockSums:
    """A digest over the length of a file and the sum, modulo 2^64, of the words of each block.

    No changed bit leaves the sum of its block as it was; a hash over all bytes would be several
    times slower than reading them. The file's own name vouches for what came from the store.
    """

    def __init__(self, size: int) -> None:
        self._digest = hashlib.sha256(str(size).encode())

    def update(self, data: bytes | memoryview) -> None:
        """Add what follows: whole blocks, unless it is the end."""
        whole = len(data) - len(data) % BLOCK_BYTES
        blocks = np.frombuffer(data, np.uint64, whole // 8).reshape(-1, BLOCK_BYTES // 8)
        self._digest.update(blocks.sum(axis=1))
        if rest := bytes(data[whole:]):
            self._digest.update(np.frombuffer(rest.ljust(BLOCK_BYTES, b"\0"), np.uint64).sum())

    def digest(self) -> bytes:
        return self._digest.digest()

    @classmethod
    def of(cls, path: Path) -> bytes:
        """The digest of a file."""
        sums = cls(path.stat().st_size)
        buffer = memoryview(bytearray(RANGE_BYTES))
        with path.open("rb", buffering=0) as file:
            while read := file.readinto(buffer):
                sums.update(buffer[:read])
        return sums.digest()
