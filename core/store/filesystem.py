"""An object store on an fsspec filesystem, and what that filesystem's errors mean."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.errors import HmaError, ObjectExists, ObjectMissing, StoreUnavailable
from core.store.protocol import ObjectInfo, check_key, in_order
from core.store.s3 import s3_code

MEBIBYTE = 1 << 20
PART_BYTES = 16 * MEBIBYTE
"""Held in memory at a time by `upload`; up to twice as much goes as one request."""

PATIENCE_SECONDS = 12.0
"""Bounds a whole call, plus one second for each 4 MiB: no time-out of aiohttp covers sending."""

UNKNOWN_BYTES = 64 * MEBIBYTE
"""Allowed for where only the store knows the size."""


class FsspecStore:
    """A store on any fsspec filesystem whose `mode="create"` is atomic: S3, and our memory.

    The filesystem is made when it is first needed, and anew after a fork: a child process must not
    inherit its connections, and would wait for ever for its event loop.
    """

    def __init__(self, root: str, connect: Callable[[], Any]) -> None:
        self._root = root
        self._connect = connect
        self._connecting = threading.Lock()
        self._connected: tuple[int, Any] | None = None

    def get(self, key: str) -> bytes:
        data: bytes = self._call("cat_file", key, self._path(key))
        return data

    def get_range(self, key: str, start: int, end: int) -> bytes:
        if not 0 <= start <= end:
            raise ValueError(f"not a range: {start} to {end}")
        path = self._path(key)
        if start == end:
            return b""
        try:
            data: bytes = self._call("cat_file", key, path, start=start, end=end, moved=end - start)
        except StoreUnavailable as error:
            if s3_code(error.__cause__) == "InvalidRange":  # it begins past the end
                return b""
            raise
        return data

    def create(self, key: str, data: bytes) -> None:
        path = self._path(key)
        for _ in range(3):
            try:
                self._call("pipe_file", key, path, data, mode="create", moved=len(data))
            except StoreUnavailable as error:
                # S3's word for "another request is at it, ask again to learn who has won".
                if s3_code(error.__cause__) != "ConditionalRequestConflict":
                    raise
            else:
                return
        raise StoreUnavailable(f"the object store cannot decide who creates {key}")

    def put(self, key: str, data: bytes) -> None:
        self._call("pipe_file", key, self._path(key), data, moved=len(data))

    def upload(self, key: str, source: Path) -> None:
        moved = source.stat().st_size
        path = self._path(key)
        self._call("put_file", key, str(source), path, chunksize=PART_BYTES, moved=moved)

    def list(self, prefix: str) -> list[ObjectInfo]:
        check_key(f"{prefix}x")
        # From the first folder down by string prefix: then nothing but one listing is asked for,
        # and neither a folder that is itself an object nor one that is not there is special.
        base, _, rest = f"{self._root}/{prefix}".partition("/")
        listed = self._call("find", prefix, base, prefix=rest, detail=True)
        root = f"{self._root}/"
        return in_order(
            ObjectInfo(name.removeprefix(root), info["size"])
            for name, info in listed.items()
            if name.startswith(root + prefix) and not name.endswith("/")
        )

    def delete(self, key: str) -> None:
        with suppress(ObjectMissing):
            self._call("rm_file", key, self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}/{check_key(key)}"

    def _filesystem(self) -> Any:
        with self._connecting:
            if self._connected is None or self._connected[0] != os.getpid():
                self._connected = (os.getpid(), self._connect())
            return self._connected[1]

    def _call(
        self, method: str, key: str, *args: Any, moved: int = UNKNOWN_BYTES, **options: Any
    ) -> Any:
        filesystem = self._filesystem()
        if filesystem.async_impl:
            options["timeout"] = PATIENCE_SECONDS + moved / (4 * MEBIBYTE)
        try:
            return getattr(filesystem, method)(*args, **options)
        except Exception as error:  # whatever a store does to us, we do not know
            raise self._meaning(error, key) from error

    def _meaning(self, error: Exception, key: str) -> HmaError:
        """What the caller must know. Only the store's own word makes an object missing.

        A proxy's bare 404, or a bucket that is gone, says nothing about the object.
        """
        code = s3_code(error)
        if isinstance(error, FileExistsError) or code == "PreconditionFailed":
            return ObjectExists(f"{key} exists")
        if isinstance(error, FileNotFoundError) and code in (None, "NoSuchKey"):
            return ObjectMissing(f"{key} does not exist")
        bucket = self._root.partition("/")[0]
        if code == "NoSuchBucket":
            return StoreUnavailable(
                f"the bucket {bucket!r} does not exist: create it, or correct HMA_STORE_URL"
            )
        if isinstance(error, PermissionError):
            return StoreUnavailable(
                f"the object store refuses us ({error}): HMA_STORE_KEY and HMA_STORE_SECRET, or"
                f" the AWS_* variables, must allow to get, put, delete and list in {bucket!r}"
            )
        return StoreUnavailable(
            f"no usable answer from the object store ({str(error) or type(error).__name__}):"
            " check that it runs, HMA_STORE_ENDPOINT, and the credentials"
        )
