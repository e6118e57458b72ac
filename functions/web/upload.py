"""Content as requests bring it, a file in a form or a URL, and its way to the hashes.

A file stays on disk when it is large, so that memory is flat however many come in at once.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from core.curation import type_switch as type_ratio
from core.download.url import fetch
from core.errors import BadInput
from core.hashing.media.image import Source
from core.services import Services
from core.signal_types.hash_content import content_type_of, hash_content
from functions.web.dependencies import Limits, in_thread

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
    form = await _parsed(request)
    try:
        files = [(name, item) for name, item in form.multi_items() if isinstance(item, UploadFile)]
        if not files:
            raise BadInput(absent)
        if len(files) > 1:
            raise BadInput("Only one file allowed per request")
        ((content_type, item),) = files
        yield Upload(content_type, item.file, _fields(form))
    finally:
        await form.close()


async def form_of(request: Request) -> dict[str, str]:
    """The text fields of a form, multipart or not; none if the body is no form.

    Raises:
        BadInput: it is not what it is declared to be.
    """
    form = await _parsed(request)
    try:
        return _fields(form)
    finally:
        await form.close()


async def hash_upload(
    upload: Upload,
    services: Services,
    limits: Limits,
    types: str | None,
) -> dict[str, str]:
    """The signals of an upload, by signal type.

    Args:
        types: a list of the wanted ones; all if None, that the index does not say are switched
            off.
    """
    return await in_thread(
        limits.hashing, _hashed, services, upload.content_type, upload.file, types
    )


async def hash_url(
    services: Services,
    limits: Limits,
    url: str,
    content_type: str | None,
    types: str | None,
) -> dict[str, str]:
    """The signals of what `url` leads to, as `hash_upload`."""
    fetched = await in_thread(limits.fetching, fetch, url, services.settings)
    with fetched.body as file:
        known = content_type or content_type_of(fetched.content_type)
        return await in_thread(limits.hashing, _hashed, services, known, file, types)


def _hashed(
    services: Services,
    content_type: str,
    file: Source,
    types: str | None,
) -> dict[str, str]:
    signal_types = type_ratio.published(services)
    names = names_of(types)
    return dict(hash_content(signal_types, services.settings, content_type, file, names).signals)


async def _parsed(request: Request) -> FormData:
    try:
        return await request.form()
    except (ValueError, LookupError) as error:  # of a charset that Python knows as something else
        raise BadInput(f"Invalid multipart/form-data: {error}") from error


def _fields(form: FormData) -> dict[str, str]:
    """Of a field that is repeated the first counts."""
    fields: dict[str, str] = {}
    for name, text in form.multi_items():
        if isinstance(text, str):
            fields.setdefault(name, text)
    return fields


def names_of(types: str | None) -> list[str] | None:
    """The signal types in a comma-separated list; None, for all, if there is none."""
    return None if types is None else types.split(",")


def _is_multipart(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "multipart/form-data"
