"""Content of banks: `/c/bank/<b>/content`, `/c/bank/<b>/signal`. A part of the curate function."""

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.catalog.bank import BankingTerms
from core.curation.bank_signals import bank_signals
from core.errors import BadInput
from functions.curating.catalog_answers import ContentAnswer, content_answer
from functions.curating.curator import Curating, Curator
from functions.web.answer import Hashes, Json
from functions.web.body import file_body, is_json, json_body, parse_json, read_json, read_object
from functions.web.errors import errors
from functions.web.request_media import hash_media, open_upload, open_url

router = APIRouter(prefix="/c", tags=["Banks"])

_NO_SOURCE = "Neither `url` nor multipart file upload was received"

METADATA = {
    "type": "object",
    "properties": {
        "content_id": {"type": "string"},
        "content_uri": {"type": "string"},
        "json": {"type": "object"},
    },
    "additionalProperties": False,
}
NOTE = {"type": ["string", "null"], "maxLength": 255}
LABELS = {"type": ["array", "null"], "items": {"type": "string", "minLength": 1, "maxLength": 255}}
CONTENT = file_body(
    "metadata",
    "note",
    "labels",
    or_json={
        "type": "object",
        "properties": {"metadata": METADATA, "note": NOTE, "labels": LABELS},
        "description": "With `url`.",
    },
)
SIGNALS = {
    "type": "object",
    "properties": {"note": NOTE},
    "additionalProperties": {"type": "string"},
    "description": "Every key but `note` is a signal type, and its value a signal.",
}
CHANGES = {
    "type": "object",
    "properties": {
        "disable_until_ts": {"type": "integer", "minimum": 0},
        "note": NOTE,
        "labels": LABELS,
    },
}


class ContentRequest(BaseModel):
    url: str | None = Field(None, description="The content to fetch and bank; or upload a file.")
    content_type: str | None = Field(None, description="What the URL leads to, if known.")
    types: str | None = Field(None, description="Comma-separated signal types to hash it to.")


class Banked(TypedDict):
    id: int
    signals: Hashes


class ShownContent(ContentAnswer):
    signals: NotRequired[Hashes]
    note: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]


class ChangedContent(ContentAnswer):
    collab_metadata: dict[str, Any]
    note: str | None
    user_metadata: dict[str, Any] | None


class Deleted(TypedDict):
    deleted: int


@router.post(
    "/bank/{bank_name}/content",
    response_model=Banked,
    responses=errors(400, 404, 413, 422),
    openapi_extra=CONTENT,
)
async def add_content(
    bank_name: str,
    query: Annotated[ContentRequest, Query()],
    request: Request,
    curator: Curating,
) -> Json:
    """Bank the signals of what a URL leads to, or of an uploaded file."""
    terms = await curator.ask(lambda catalog: catalog.banks.terms(bank_name))
    services, limits = curator.services, curator.limits
    enabled = services.signal_types.without(terms.switched_off)
    hash_it = functools.partial(
        hash_media,
        services,
        limits,
        types=query.types,
        crops=terms.bank.crops,
        enabled=enabled,
        partial=False,
    )
    if query.url:
        body = await read_json(request) if is_json(request) else None
        extra = body if isinstance(body, dict) else {}
        async with open_url(services, limits, query.url, query.content_type) as media:
            hashed = await hash_it(media)
    else:
        async with open_upload(request, absent=_NO_SOURCE) as media:
            extra = {
                "metadata": _metadata_field(media.fields),
                "note": media.fields.get("note"),
                "labels": _labels_field(media.fields),
            }
            hashed = await hash_it(media)
    return await _add(curator, terms, hashed.signals, extra, hashed.crops)


@router.post(
    "/bank/{bank_name}/signal",
    response_model=Banked,
    responses=errors(400, 404, 413, 415),
    openapi_extra=json_body(SIGNALS),
)
async def add_signals(bank_name: str, request: Request, curator: Curating) -> Json:
    """Bank signals. Every key of the JSON object but `note` is a signal type."""
    terms = await curator.ask(lambda catalog: catalog.banks.terms(bank_name))
    signals = await read_object(request)
    extra = {"note": signals.pop("note", None)}
    return await _add(curator, terms, signals, extra)


@router.get(
    "/bank/{bank_name}/content/{content_id:id}",
    response_model=ShownContent,
    responses=errors(404),
)
async def show_content(
    bank_name: str,
    content_id: int,
    curator: Curating,
    include_signals: str = "false",
    include_metadata: str = "true",
) -> Json:
    """Content of a bank."""
    content = await curator.ask(lambda catalog: catalog.contents.get(bank_name, content_id))
    answer: dict[str, Any] = {**content_answer(content)}
    if include_signals.lower() == "true":
        answer["signals"] = content.signals
    if content.note:
        answer["note"] = content.note
    if content.metadata and include_metadata.lower() == "true":
        answer["metadata"] = content.metadata
    return Json(answer)


@router.put(
    "/bank/{bank_name}/content/{content_id:id}",
    response_model=ChangedContent,
    responses=errors(400, 404, 413, 415),
    openapi_extra=json_body(CHANGES),
)
async def update_content(
    bank_name: str, content_id: int, request: Request, curator: Curating
) -> Json:
    """Disable content, for good or until a time, enable it again, change its note or labels."""
    await curator.ask(lambda catalog: catalog.contents.get(bank_name, content_id))
    body = await read_object(request)
    changes = {name: body[name] for name in ("disable_until_ts", "note", "labels") if name in body}
    content = await curator.ask(
        lambda catalog: catalog.contents.update(bank_name, content_id, **changes)
    )
    answer = content_answer(content) | {
        "collab_metadata": {},
        "note": content.note,
        "user_metadata": content.metadata,
    }
    return Json(answer, headers=await curator.publish(content.signals))


@router.delete(
    "/bank/{bank_name}/content/{content_id:id}",
    response_model=Deleted,
    responses=errors(404),
)
async def delete_content(bank_name: str, content_id: int, curator: Curating) -> Json:
    """Delete content of a bank, if it is there."""
    deleted = await curator.ask(lambda catalog: catalog.contents.delete(bank_name, content_id))
    return Json({"deleted": deleted}, headers=await curator.publish())


async def _add(
    curator: Curator,
    terms: BankingTerms,
    signals: Mapping[str, Any],
    extra: Mapping[str, Any],
    crops: Sequence[str] = (),
) -> Json:
    content = await curator.ask(
        lambda catalog: bank_signals(
            curator.services.signal_types.without(terms.switched_off),
            catalog,
            terms.bank.name,
            signals,
            metadata=extra.get("metadata"),
            note=extra.get("note"),
            labels=extra.get("labels"),
            crops=crops,
        )
    )
    answer = {"id": content.id, "signals": content.signals}
    return Json(answer, headers=await curator.publish(content.signals))


def _labels_field(fields: Mapping[str, str]) -> list[str] | None:
    """A list by commas, so that a form can be typed by hand."""
    return fields["labels"].split(",") if fields.get("labels") else None


def _metadata_field(fields: Mapping[str, str]) -> Any:
    if not fields.get("metadata"):
        return None
    try:
        return parse_json(fields["metadata"])
    except BadInput as error:
        raise BadInput("metadata form field must be valid JSON") from error
