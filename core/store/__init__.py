"""The object store: whole objects under keys, in S3, a local folder or this process's memory.

Knows bytes and keys, nothing of what they mean. Nothing read from a store is ever executed.

| file | knows |
|---|---|
| `protocol` | what a store can do, and which keys there are |
| `filesystem` | a store on an fsspec filesystem, and what its errors mean |
| `s3`, `memory` | the two filesystems |
| `files` | a store in a local folder |
"""

from functools import partial
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

from core.errors import Misconfigured, ObjectExists
from core.settings import Settings
from core.store import s3
from core.store.files import FileStore
from core.store.filesystem import FsspecStore
from core.store.memory import Memory
from core.store.protocol import ObjectInfo, ObjectStore

__all__ = ["FileStore", "ObjectInfo", "ObjectStore", "honours_create", "open_store"]


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
        return FsspecStore(root, partial(s3.connect, settings))
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
