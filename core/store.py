"""The object store: whole objects under keys, in S3, a local folder or this process's memory.

Knows bytes and keys, nothing of what they mean. Nothing read from a store is ever executed.
"""

import hashlib
import os
import shutil
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote
from uuid import uuid4

from fsspec.implementations.memory import MemoryFileSystem

from core.errors import (
    HmaError,
    Misconfigured,
    ObjectExists,
    ObjectMissing,
    StoreUnavailable,
)
from core.settings import Settings

MEBIBYTE = 1 << 20
PART_BYTES = 16 * MEBIBYTE
"""Held in memory at a time by `upload`; up to twice as much goes as one request."""

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
"""Longest silence of a server. Two attempts, so an unreachable one costs 5 s, a stalled one 11."""

PATIENCE_SECONDS = 12.0
"""Bounds a whole call, plus one second for each 4 MiB: no time-out of aiohttp covers sending."""

UNKNOWN_BYTES = 64 * MEBIBYTE
"""Allowed for where only the store knows the size."""


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


def open_store(settings: Settings) -> ObjectStore:
    """The store at `settings.store_url`. Nothing is connected to before the first call.

    Raises:
        Misconfigured: the URL is none of ours.
    """
    url = settings.store_url or ""
    scheme, _, root = url.partition("://")
    root = root.rstrip("/")
    if scheme == "file" and root.startswith("/"):
        return FileStore(Path(unquote(root)))
    if scheme == "memory" and root:
        return FsspecStore(f"/{root}", Memory)
    if scheme == "s3" and root:
        return FsspecStore(root, partial(_s3, settings))
    raise Misconfigured(
        f"HMA_STORE_URL is {url!r}: give s3://bucket/prefix, file:///folder or memory://name"
    )


def honours_create(store: ObjectStore) -> bool:
    """Whether `create` really refuses a key that is taken: some stores ignore the condition.

    Finds out with a key of its own, which it leaves deleted.
    """
    key = f"probe/{uuid4().hex}"
    try:
        store.create(key, b"probe")
        store.create(key, b"probe")
    except ObjectExists:
        return True
    finally:
        store.delete(key)
    return False


def _checked(key: str) -> str:
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


def _sorted(found: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    return sorted(found, key=lambda info: info.key)


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
            if _s3_code(error.__cause__) == "InvalidRange":  # it begins past the end
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
                if _s3_code(error.__cause__) != "ConditionalRequestConflict":
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
        _checked(f"{prefix}x")
        # From the first folder down by string prefix: then nothing but one listing is asked for,
        # and neither a folder that is itself an object nor one that is not there is special.
        base, _, rest = f"{self._root}/{prefix}".partition("/")
        found = self._call("find", prefix, base, prefix=rest, detail=True)
        root = f"{self._root}/"
        return _sorted(
            ObjectInfo(name.removeprefix(root), info["size"])
            for name, info in found.items()
            if name.startswith(root + prefix) and not name.endswith("/")
        )

    def delete(self, key: str) -> None:
        with suppress(ObjectMissing):
            self._call("rm_file", key, self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}/{_checked(key)}"

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
        code = _s3_code(error)
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


def _s3_code(error: BaseException | None) -> str | None:
    """The error code in S3's answer, where s3fs keeps it: in the cause of its own error."""
    response = getattr(getattr(error, "__cause__", None), "response", None)
    return response["Error"].get("Code") if response else None


def _s3(settings: Settings) -> Any:
    """An s3fs filesystem that remembers no listing, gives up soon and does not look first."""
    try:  # here, for it takes half a second that file:// need not pay
        from aiobotocore.session import AioSession  # noqa: PLC0415
        from botocore.handlers import add_expect_header  # noqa: PLC0415
        from s3fs import S3FileSystem  # noqa: PLC0415
    except ImportError as error:
        raise Misconfigured("s3:// needs s3fs: pip install 'hma-functions[s3]'") from error
    config = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": 2},
        "max_pool_connections": 64,
        # Not every store other than AWS knows the newer checksums.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    session = AioSession()
    # "Expect: 100-continue" costs each write a round trip, and waits for the answer for ever.
    session.unregister("before-call.s3", add_expect_header)
    session.register("before-call.s3", _add_md5)
    filesystem = S3FileSystem(
        session=session,
        endpoint_url=settings.store_endpoint,
        key=settings.store_key,
        secret=settings.store_secret,
        config_kwargs=config,
        max_concurrency=1,  # with more, each read begins with a HEAD request
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    filesystem.retries = 1  # botocore's are enough, and these would multiply them
    return filesystem


def _add_md5(params: dict[str, Any], **_: Any) -> None:
    """Let the store compare what it receives with what we have sent.

    SeaweedFS (4.48) takes a connection lost just before the body for an empty body, and keeps that
    as the object: a writer who is killed there would leave a snapshot that can't be replaced.
    """
    if params["method"] == "PUT":
        body = params["body"]
        digest = hashlib.md5(
            body if isinstance(body, bytes) else body.getbuffer(), usedforsecurity=False
        )
        params["headers"]["Content-MD5"] = b64encode(digest.digest()).decode()


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
        _checked(f"{prefix}x")
        start = self._root / prefix.rpartition("/")[0]

        def fail(error: OSError) -> None:
            nothing = isinstance(error, FileNotFoundError | NotADirectoryError)
            if not nothing or Path(error.filename) != start:
                raise error

        found = []
        with self._translating():
            self._root.stat()
            for folder, folders, names in os.walk(start, onerror=fail):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for path in (Path(folder, name) for name in names):
                    key = path.relative_to(self._root).as_posix()
                    with suppress(FileNotFoundError):  # deleted since
                        if key.startswith(prefix):
                            found.append(ObjectInfo(key, path.stat().st_size))
        return _sorted(found)

    def delete(self, key: str) -> None:
        path = self._root / _checked(key)
        with self._translating():
            self._root.stat()
            path.unlink(missing_ok=True)

    @contextmanager
    def _reading(self, key: str) -> Iterator[BinaryIO]:
        path = self._root / _checked(key)
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
        path = self._root / _checked(key)
        draft = self._root / ".drafts" / uuid4().hex
        with self._translating():
            draft.parent.mkdir(exist_ok=True)
            try:
                with draft.open("xb") as file:
                    shutil.copyfileobj(source, file, MEBIBYTE)
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
