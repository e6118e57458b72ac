"""The curate function: `/c/banks` and `/c/bank/*`. The only one that changes what is banked.

What is committed is published at once, so that it matches about a second later. When that fails,
or takes too long, the answer still says "done", because it is: the change is marked in the
catalog, and the scheduled `publish` makes up for it. Such an answer names no snapshot.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from core.catalog import Catalog
from core.curation import type_switch as type_ratio
from core.curation.bank_signals import bank_signals, checked_thresholds
from core.errors import BadInput
from functions.curating import contents, exchanges, opinions, signal_types
from functions.curating.curator import Curating, Curator, bank_answer, content_answer
from functions.web.answer import Json
from functions.web.app import target
from functions.web.body import (
    Share,
    Switch,
    body_of,
    documented,
    documented_file,
    documented_json,
    is_json,
    parse_json,
    read_json,
    read_object,
)
from functions.web.dependencies import in_thread
from functions.web.errors import errors
from functions.web.seen import Look, see_upload, see_url
from functions.web.shapes import (
    Bank,
    Banked,
    ChangedContent,
    Deleted,
    Done,
    ShownContent,
)
from functions.web.upload import uploaded

_NO_SOURCE = "Neither `url` nor multipart file upload was received"


router = APIRouter(prefix="/c", tags=["Banks"])


NAME: dict[str, Any] = {"pattern": "^[A-Z_][A-Z0-9_]*$", "maxLength": 255}
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
CONTENT = documented_file(
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


class BankCreateRequest(BaseModel):
    name: str = Field(
        description="UPPER_WITH_UNDERSCORE, at most 255 characters.", json_schema_extra=NAME
    )
    enabled_ratio: Share | None = Field(None, description="Share of lookups it takes part in.")
    enabled: Switch | None = Field(None, description="True is a ratio of 1, false of 0.")
    allow_list: Switch | None = Field(
        None, description="What matches here is harmless: no other bank matches it then."
    )
    thresholds: dict[str, int] | None = Field(
        None, description="By signal type the largest distance that matches, if not the type's."
    )

    crops: Switch | None = Field(
        None, description="Also match the crops that people make of the pictures banked from now."
    )

    @property
    def ratio(self) -> float | None:
        if self.enabled_ratio is None and self.enabled is not None:
            return 1.0 if self.enabled else 0.0
        return self.enabled_ratio


class BankUpdateRequest(BankCreateRequest):
    name: str | None = Field(None, description="The new name.", json_schema_extra=NAME)  # type: ignore[assignment]


class ContentRequest(BaseModel):
    url: str | None = Field(None, description="The content to fetch and bank; or upload a file.")
    content_type: str | None = Field(None, description="What the URL leads to, if known.")
    types: str | None = Field(None, description="Comma-separated signal types to hash it to.")


@router.get("/banks", response_model=list[Bank], responses=errors())
async def list_banks(curator: Curating) -> Json:
    """All banks."""
    return Json([bank_answer(bank) for bank in await curator.ask(Catalog.list_banks)])


@router.post(
    "/banks",
    status_code=201,
    response_model=Bank,
    responses=errors(400, 403, 413, 422),
    openapi_extra=documented(BankCreateRequest),
)
async def create_bank(
    body: Annotated[BankCreateRequest, Depends(body_of(BankCreateRequest))], curator: Curating
) -> Json:
    """A new, empty bank."""
    bank = await curator.ask(
        functools.partial(
            Catalog.create_bank,
            name=body.name,
            enabled_ratio=1.0 if body.ratio is None else body.ratio,
            allow_list=bool(body.allow_list),
            crops=bool(body.crops),
            thresholds=_thresholds(curator, body),
        )
    )
    return Json(bank_answer(bank), 201)


@router.get("/bank/{bank_name}", response_model=Bank, responses=errors(404))
async def show_bank(bank_name: str, curator: Curating) -> Json:
    """A bank."""
    return Json(bank_answer(await curator.ask(lambda catalog: catalog.bank(bank_name))))


@router.put(
    "/bank/{bank_name}",
    response_model=Bank,
    responses=errors(400, 403, 404, 413, 422),
    openapi_extra=documented(BankUpdateRequest),
)
async def update_bank(
    bank_name: str,
    body: Annotated[BankUpdateRequest, Depends(body_of(BankUpdateRequest))],
    curator: Curating,
) -> Json:
    """Rename a bank, or change the share of lookups it takes part in."""
    bank = await curator.ask(
        functools.partial(
            Catalog.update_bank,
            name=bank_name,
            new_name=body.name,
            enabled_ratio=body.ratio,
            allow_list=body.allow_list,
            crops=body.crops,
            thresholds=_thresholds(curator, body),
        )
    )
    return Json(bank_answer(bank), headers=await curator.publish())


@router.delete("/bank/{bank_name}", response_model=Done, responses=errors(400, 404))
async def delete_bank(bank_name: str, curator: Curating) -> Json:
    """Delete a bank with all its content, if it is there."""
    await curator.ask(lambda catalog: catalog.delete_bank(bank_name))
    return Json({"message": "Done"}, headers=await curator.publish())


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
    bank = await curator.ask(lambda catalog: catalog.bank(bank_name))
    services, limits = curator.services, curator.limits
    enabled = await in_thread(limits.catalog, type_ratio.banked, services)
    look = Look(query.types, crops=bank.crops, enabled=enabled)
    if query.url:
        said = await read_json(request) if is_json(request) else None
        extra = said if isinstance(said, dict) else {}
        seen = await see_url(services, limits, query.url, query.content_type, look)
    else:
        async with uploaded(request, absent=_NO_SOURCE) as upload:
            extra = {
                "metadata": _metadata_field(upload.fields),
                "note": upload.fields.get("note"),
                "labels": _labels_field(upload.fields),
            }
            seen = await see_upload(upload, services, limits, look)
    return await _add(curator, bank_name, seen.hashes, extra, seen.crops)


@router.post(
    "/bank/{bank_name}/signal",
    response_model=Banked,
    responses=errors(400, 404, 413, 415),
    openapi_extra=documented_json(SIGNALS),
)
async def add_signals(bank_name: str, request: Request, curator: Curating) -> Json:
    """Bank signals. Every key of the JSON object but `note` is a signal type."""
    await curator.ask(lambda catalog: catalog.bank(bank_name))
    signals = await read_object(request)
    extra = {"note": signals.pop("note", None)}
    return await _add(curator, bank_name, signals, extra)


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
    content = await curator.ask(lambda catalog: catalog.content(bank_name, content_id))
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
    openapi_extra=documented_json(CHANGES),
)
async def update_content(
    bank_name: str, content_id: int, request: Request, curator: Curating
) -> Json:
    """Disable content, for good or until a time, enable it again, change its note or labels."""
    await curator.ask(lambda catalog: catalog.content(bank_name, content_id))
    body = await read_object(request)
    changes = {name: body[name] for name in ("disable_until_ts", "note", "labels") if name in body}
    content = await curator.ask(
        lambda catalog: catalog.update_content(bank_name, content_id, **changes)
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
    deleted = await curator.ask(lambda catalog: catalog.delete_content(bank_name, content_id))
    return Json({"deleted": deleted}, headers=await curator.publish())


curate = target(
    "curate", router, contents.router, exchanges.router, opinions.router, signal_types.router
)


async def _add(
    curator: Curator,
    bank_name: str,
    signals: Mapping[str, Any],
    extra: Mapping[str, Any],
    crops: Sequence[str] = (),
) -> Json:
    content = await in_thread(
        curator.limits.catalog,
        bank_signals,
        curator.services,
        bank_name,
        signals,
        metadata=extra.get("metadata"),
        note=extra.get("note"),
        labels=extra.get("labels"),
        crops=crops,
    )
    answer = {"id": content.id, "signals": content.signals}
    return Json(answer, headers=await curator.publish(content.signals))


def _thresholds(curator: Curator, body: BankCreateRequest) -> dict[str, int] | None:
    if body.thresholds is None:
        return None
    return checked_thresholds(curator.services.signal_types, body.thresholds)


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
