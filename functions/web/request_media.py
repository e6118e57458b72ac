"""Content as requests bring it, a file in a form or a URL, and its one way to the hashes.

A file stays on disk when it is large, so that memory is flat however many come in at once.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from core.download.content_type import read_content_type
from core.download.fetch_url import fetch_url
from core.errors import BadInput, Unavailable
from core.matching.published_types import select_published_types
from core.services import Services
from core.signal_types.enabled import SignalTypes
from core.signal_types.hash_content import HashedContent, hash_content
from functions.web.dependencies import Limits, in_thread

_ABSENT = "Missing multipart/form-data file upload"


@dataclass(frozen=True)
class Media:
    """A file that came with a request, or from where its URL leads to.

    Attributes:
        content_type: of an upload the name of its field.
        file: open, at its beginning.
        fields: the form's other fields.
    """

    content_type: str
    file: IO[bytes]
    fields: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def open_upload(request: Request, absent: str = _ABSENT) -> AsyncIterator[Media]:
    """The upload in `request`, until the block ends.

    Args:
        absent: what to say when there is none.

    Raises:
        BadInput: it has no file, or several, or is no form at all.
        TooLarge: it has more bytes than the settings allow.
    """
    if not _is_multipart(request):
        raise BadInput(absent)
    form = await _parse_form(request)
    try:
        files = [(name, item) for name, item in form.multi_items() if isinstance(item, UploadFile)]
        if not files:
            raise BadInput(absent)
        if len(files) > 1:
            raise BadInput("Only one file allowed per request")
        ((content_type, item),) = files
        yield Media(content_type, item.file, _text_fields(form))
    finally:
        await form.close()


@asynccontextmanager
async def open_url(
    services: Services, limits: Limits, url: str, content_type: str | None
) -> AsyncIterator[Media]:
    """What `url` leads to, until the block ends.

    Args:
        content_type: what it is; if None, as its server says.

    Raises:
        BadInput: it may not be fetched, or nobody says what it is.
        TooLarge: it has more bytes than the settings allow.
        Unavailable: its server does not answer.
    """
    fetched = await limits.downloads.take(
        limits.client, lambda _: fetch_url(url, services.settings)
    )
    with fetched.body as file:
        yield Media(content_type or read_content_type(fetched.content_type), file)


async def hash_media(
    services: Services,
    limits: Limits,
    media: Media,
    types: str | None = None,
    *,
    kinds: Collection[str] = (),
    crops: bool = False,
    enabled: SignalTypes | None = None,
    partial: bool = True,
) -> HashedContent:
    """The signals of `media`, and what else the request wants of a photo.

    Args:
        types: comma-separated signal types; all if None.
        kinds: of variants.
        crops: whether crops are hashed.
        enabled: the types there are; if None, those that the index does not say are switched off.
        partial: whether a type that cannot be hashed takes nothing from the others.

    Raises:
        BadInput, TooLarge, Unavailable: as `hash_content`.
    """
    wanted = None if types is None else types.split(",")
    types_on = enabled or await _read_types_on(services, limits, media.content_type)

    def hash_it(between_steps: Callable[[], None]) -> HashedContent:
        hashed = hash_content(
            types_on,
            services.settings,
            media.content_type,
            media.file,
            wanted,
            kinds=kinds,
            crops=crops,
            partial=partial,
            between_steps=between_steps,
        )
        between_steps()
        return hashed

    return await limits.hashing.take(limits.client, hash_it)


async def _read_types_on(services: Services, limits: Limits, content_type: str) -> SignalTypes:
    """The types that are on. Not read where photos are hashed: it may wait for the store."""
    return await in_thread(
        limits.index,
        lambda: select_published_types(
            services.signal_types, services.lookup_index_if_any, content_type
        ),
    )


async def read_form(request: Request) -> dict[str, str]:
    """The text fields of a form, multipart or not; none if the body is no form.

    Raises:
        BadInput: it is not what it is declared to be.
    """
    form = await _parse_form(request)
    try:
        return _text_fields(form)
    finally:
        await form.close()


async def _parse_form(request: Request) -> FormData:
    try:
        return await request.form()
    except OSError as error:  # a full disk, mostly
        raise Unavailable(f"the upload cannot be kept: {error}") from error
    except (ValueError, LookupError) as error:  # of a charset that Python knows as something else
        raise BadInput(f"Invalid multipart/form-data: {error}") from error


def _text_fields(form: FormData) -> dict[str, str]:
    """Of a field that is repeated the first counts."""
    fields: dict[str, str] = {}
    for name, text in form.multi_items():
        if isinstance(text, str):
            fields.setdefault(name, text)
    return fields


def _is_multipart(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "multipart/form-data"
