"""The hash function: `/h/*`. Needs neither an object store nor a database."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from functions.web.answer import Hashes, Json, not_hashed
from functions.web.app import target
from functions.web.body import file_body
from functions.web.dependencies import AppLimits, AppServices
from functions.web.errors import errors
from functions.web.request_media import hash_media, open_upload, open_url

router = APIRouter(prefix="/h", tags=["Hashing"])


class HashRequest(BaseModel):
    url: str = Field(description="The content to fetch and hash.")
    content_type: str | None = Field(None, description="What it is, if its server does not know.")
    types: str | None = Field(None, description="Comma-separated signal types; all if absent.")


@router.get("/hash", response_model=Hashes, responses=errors(400, 413, 422))
async def hash_from_url(
    query: Annotated[HashRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """The signals of what a URL leads to, by signal type."""
    async with open_url(services, limits, query.url, query.content_type) as media:
        hashed = await hash_media(services, limits, media, query.types)
    return Json(hashed.signals, headers=not_hashed(hashed.failures))


@router.post(
    "/hash",
    response_model=Hashes,
    responses=errors(400, 413),
    openapi_extra=file_body(),
)
async def hash_from_upload(
    request: Request, services: AppServices, limits: AppLimits, types: str | None = None
) -> Json:
    """The signals of an uploaded file, by signal type. The field's name is its content type."""
    async with open_upload(request) as media:
        hashed = await hash_media(services, limits, media, types)
    return Json(hashed.signals, headers=not_hashed(hashed.failures))


hash = target("hash")  # noqa: A001 - it has to be called what the function is called
