"""Content as requests bring it, a file in a form or a URL, and its way to the hashes.

A file stays on disk when it is large, so that memory is flat however many come in at once.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import UploadFile

from core.errors import BadInput
from core.hash import content_type_of, hash_content
from core.remote import fetch
from core.services import Services
from functions.web.deployed import Threads, in_thread

_ABSENT = "Missing multipart/form-data file upload"


@dataclass(frozen=True)
class Upload:
    """The one file of a form.

    Attributes:
        content_type: the name of its field.
        file: open, at its beginning.
        fields: the form's other fields.
    """

    content_type: str
    file: BinaryIO
    fields: Mapping[str, str]


@asynccontextmanager
async def uploaded(request: Request, absent: str = _ABSENT) -> AsyncIterator[Upload]:
    """The upload in `request`, until the block ends.

    Args:
        absent: what to say when there is none.

    Raises:
        BadInput: it has no file, or several, or is no form at all.
        TooLarge: it has more bytes than the settings allow.
    """
    if not _is_multipart(request):
        raise BadInput(absent)
    try:
        form = await request.form()
    except (ValueError, LookupError) as error:  # of a charset that Python knows as something else
        raise BadInput(f"Invalid multipart/form-data: {error}") from error
    try:
        files = [(name, item) for name, item in form.multi_items() if isinstance(item, UploadFile)]
        if not files:
            raise BadInput(absent)
        if len(files) > 1:
            raise BadInput("Only one file allowed per request")
        ((content_type, item),) = files
        fields = {name: text for name, text in form.items() if isinstance(text, str)}
        yield Upload(content_type, item.file, fields)
    finally:
        await form.close()


async def hash_upload(
    upload: Upload, services: Services, threads: Threads, types: str | None
) -> dict[str, str]:
    """The signals of an upload, by signal type; of those in the list `types` if it is given."""
    return await in_thread(
        threads.hashing,
        hash_content,
        services.signal_types,
        services.settings,
        upload.content_type,
        upload.file,
        _names(types),
    )


async def hash_url(
    services: Services, threads: Threads, url: str, content_type: str | None, types: str | None
) -> dict[str, str]:
    """The signals of what `url` leads to, as `hash_upload`."""
    fetched = await in_thread(threads.fetching, fetch, url, services.settings)
    with fetched.body as file:
        return await in_thread(
            threads.hashing,
            hash_content,
            services.signal_types,
            services.settings,
            content_type or content_type_of(fetched.content_type),
            file,
            _names(types),
        )


def _names(types: str | None) -> list[str] | None:
    return None if types is None else types.split(",")


def _is_multipart(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "multipart/form-data"
