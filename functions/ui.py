"""The ui function: `/ui/*`, what a page needs beside the API. Pages themselves are not here yet.

Errors are pages (form C). A bypass of the coin is the default here: people look for everything.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from core.catalog import Catalog
from core.errors import BadInput, TooLarge
from core.matching import lookup as matching
from core.services import Services
from functions.curating.curator import Curating, Curator
from functions.web.answer import Json
from functions.web.app import target
from functions.web.body import body_of, file_body, form_body, model_body
from functions.web.dependencies import AppLimits, AppServices, Limits, in_thread
from functions.web.errors import pages
from functions.web.lookup import match_object
from functions.web.shapes import Found, FoundMatch, Queried
from functions.web.upload import form_of, hash_upload, hash_url, uploaded

router = APIRouter(prefix="/ui", tags=["UI"])

_BYPASS = "bypass_enabled_ratio"


class FindRequest(BaseModel):
    url: str | None = Field(None, description="Content to fetch and look for; or")
    content_type: str | None = Field(None, description="what it is, and")
    signal_type: str | None = Field(None, description="the type of")
    signal_value: str | None = Field(None, description="a signal to look for.")


@router.post(
    "/query",
    response_model=Queried,
    responses=pages(400, 413),
    openapi_extra=file_body(_BYPASS),
)
async def query(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """What an uploaded file matches in every bank, nearest first."""
    async with uploaded(request) as upload:
        hashes = await hash_upload(upload, services, limits, None)
        fields = upload.fields
    return await _queried(services, limits, hashes, fields)


@router.post(
    "/query_url",
    response_model=Queried,
    responses=pages(400, 413),
    openapi_extra=form_body("url", "content_type", optional=(_BYPASS,)),
)
async def query_url(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """What the content behind a URL matches in every bank, nearest first."""
    fields = await form_of(request)
    url = _required(fields, "url", "URL")
    content_type = _required(fields, "content_type", "Content type")
    hashes = await _hashed(services, limits, url, content_type)
    return await _queried(services, limits, hashes, fields)


@router.post(
    "/query_hash",
    response_model=Queried,
    responses=pages(400, 413),
    openapi_extra=form_body("signal_type", "signal_value", optional=(_BYPASS,)),
)
async def query_hash(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """What a signal matches in every bank, nearest first."""
    fields = await form_of(request)
    name = _required(fields, "signal_type", "Signal type")
    hashes = {name: _required(fields, "signal_value", "Signal value")}
    return await _queried(services, limits, hashes, fields)


@router.post(
    "/bank/{bank_name}/content/find",
    response_model=Found,
    responses=pages(400, 404, 413, 422),
    openapi_extra=model_body(FindRequest),
)
async def find(
    bank_name: str,
    body: Annotated[FindRequest, Depends(body_of(FindRequest))],
    curator: Curating,
) -> Json:
    """Content of a bank near what a URL leads to, or near a signal: to change or remove it."""
    await curator.ask(lambda catalog: catalog.bank(bank_name))
    matches: list[FoundMatch] = [
        {
            "content_id": match.content_id,
            "distance": match.distance,
            "signal_type": name,
            "signal_value": signal,
        }
        for name, signal in (await _asked(curator, body)).items()
        for match in await in_thread(
            curator.limits.index, _near, curator.services, bank_name, name, signal
        )
    ]
    content_ids = sorted({match["content_id"] for match in matches})
    return Json({"bank_name": bank_name, "content_ids": content_ids, "matches": matches})


@router.post(
    "/create_bank",
    status_code=302,
    response_class=RedirectResponse,
    responses=pages(400, 403, 413),
    openapi_extra=form_body("bank_name"),
)
async def create_bank(request: Request, curator: Curating) -> RedirectResponse:
    """A new, empty bank; leads back to where its form was."""
    name = _required(await form_of(request), "bank_name", "Bank name")
    await curator.ask(lambda catalog: Catalog.create_bank(catalog, name))
    return RedirectResponse("./", 302)


ui = target("ui", router)


async def _queried(
    services: Services, limits: Limits, hashes: dict[str, str], fields: Mapping[str, str]
) -> Json:
    bypass = fields.get(_BYPASS, "true").lower() == "true"
    matches: list[dict[str, Any]] = []
    for name, signal in hashes.items():
        if signal:  # else there is too little in the content to tell it from others
            found = await in_thread(limits.index, _everywhere, services, name, signal, bypass)
            matches += found
    matches.sort(key=lambda match: _order(match["distance"]))
    banks = sorted({match["bank_name"] for match in matches})
    return Json({"banks": banks, "hashes": hashes, "matches": matches})


def _everywhere(
    services: Services, signal_type: str, signal: str, bypass: bool
) -> list[dict[str, Any]]:
    coin = matching.toss(bypass=bypass)
    found = matching.lookup(services, signal_type, signal, matching.Wanted(), coin=coin)
    answers = []
    for match in found.matches:
        facts: dict[str, Any] = {**match_object(match, extras=True)}
        answers.append(
            {name: facts[name] for name in ("distance", "metadata", "note") if name in facts}
            | {
                "bank_name": match.bank,
                "content_id": match.content_id,
                "signal_type": signal_type,
                "signal_value": signal,
            }
        )
    return answers


def _near(
    services: Services, bank_name: str, signal_type: str, signal: str
) -> tuple[matching.Match, ...]:
    wanted = matching.Wanted(banks=(bank_name,))
    return matching.raw_lookup(services, signal_type, signal, wanted).matches


async def _asked(curator: Curator, body: FindRequest) -> dict[str, str]:
    """The signals that `body` names, or leads to."""
    if body.url:
        if not body.content_type:
            raise BadInput("content_type required when searching by URL")
        hashes = await _hashed(curator.services, curator.limits, body.url, body.content_type)
        return {name: signal for name, signal in hashes.items() if signal}
    if body.signal_type and body.signal_value:
        return {body.signal_type: body.signal_value}
    raise BadInput("Either 'url' with 'content_type' or 'signal_type' with 'signal_value' required")


async def _hashed(
    services: Services, limits: Limits, url: str, content_type: str
) -> dict[str, str]:
    try:
        return await hash_url(services, limits, url, content_type, None)
    except (BadInput, TooLarge) as error:
        raise BadInput(f"Failed to hash URL content: {error.message}") from error


def _required(fields: dict[str, str], name: str, called: str) -> str:
    if not fields.get(name):
        raise BadInput(f"{called} is required")
    return fields[name]


def _order(distance: str) -> float:
    """Nearest first; what has no distance last."""
    try:
        return float(distance)
    except ValueError:
        return float("inf")
