"""The ui function: `/ui/*`, what a page needs beside the API. Pages themselves are not here yet.

Errors are pages (form C). A bypass of the coin is the default here: people look for everything.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.errors import BadInput, TooLarge
from core.index.reading.lookup_index import ContentMatch
from core.matching.lookup import Lookup, LookupQuery, LookupRules, toss_coin
from core.services import Services
from core.signal_types.hash_content import HashedContent
from functions.curating.curator import Curating, Curator
from functions.web.answer import Hashes, Json, not_hashed
from functions.web.app import target
from functions.web.body import body_of, file_body, form_body, model_body
from functions.web.dependencies import AppLimits, AppServices, Limits
from functions.web.errors import pages
from functions.web.match_answer import matches_left
from functions.web.request_media import hash_media, open_upload, open_url, read_form
from functions.web.run_lookup import run_lookup

router = APIRouter(prefix="/ui", tags=["UI"])

_BYPASS = "bypass_enabled_ratio"


class FindRequest(BaseModel):
    url: str | None = Field(None, description="Content to fetch and look for; or")
    content_type: str | None = Field(None, description="what it is, and")
    signal_type: str | None = Field(None, description="the type of")
    signal_value: str | None = Field(None, description="a signal to look for.")


class FoundMatch(TypedDict):
    content_id: int
    distance: str
    signal_type: str
    signal_value: str


class QueryMatch(FoundMatch):
    bank_name: str
    metadata: NotRequired[dict[str, Any]]
    note: NotRequired[str]


class Queried(TypedDict):
    banks: list[str]
    hashes: Hashes
    matches: list[QueryMatch]


class Found(TypedDict):
    bank_name: str
    content_ids: list[int]
    matches: list[FoundMatch]


@router.post(
    "/query",
    response_model=Queried,
    responses=pages(400, 413),
    openapi_extra=file_body(_BYPASS),
)
async def query(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """What an uploaded file matches in every bank, nearest first."""
    async with open_upload(request) as media:
        hashed = await hash_media(services, limits, media)
    return await _query_signals(services, limits, hashed, media.fields)


@router.post(
    "/query_url",
    response_model=Queried,
    responses=pages(400, 413),
    openapi_extra=form_body("url", "content_type", optional=(_BYPASS,)),
)
async def query_url(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """What the content behind a URL matches in every bank, nearest first."""
    fields = await read_form(request)
    url = _required(fields, "url", "URL")
    content_type = _required(fields, "content_type", "Content type")
    hashed = await _hash_url(services, limits, url, content_type)
    return await _query_signals(services, limits, hashed, fields)


@router.post(
    "/query_hash",
    response_model=Queried,
    responses=pages(400, 413),
    openapi_extra=form_body("signal_type", "signal_value", optional=(_BYPASS,)),
)
async def query_hash(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """What a signal matches in every bank, nearest first."""
    fields = await read_form(request)
    name = _required(fields, "signal_type", "Signal type")
    hashed = HashedContent({name: _required(fields, "signal_value", "Signal value")})
    return await _query_signals(services, limits, hashed, fields)


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
    await curator.ask(lambda catalog: catalog.banks.get(bank_name))
    matches: list[FoundMatch] = []
    wanted = await _wanted_signals(curator, body)
    lookups: dict[str, Lookup] = {}
    for name, signal in wanted.signals.items():
        if not signal:  # there is too little in the content to tell it from others
            continue
        asked = LookupQuery(name, (signal,), LookupRules(banks=(bank_name,)))
        lookups[name] = lookup = await run_lookup(curator.services, curator.limits, asked)
        matches += [
            {
                "content_id": match.content_id,
                "distance": match.distance,
                "signal_type": name,
                "signal_value": signal,
            }
            for match in lookup.matches[0]
        ]
    content_ids = sorted({match["content_id"] for match in matches})
    return Json(
        {"bank_name": bank_name, "content_ids": content_ids, "matches": matches},
        headers=not_hashed(wanted.failures) | matches_left(lookups),
    )


@router.post(
    "/create_bank",
    status_code=302,
    response_class=RedirectResponse,
    responses=pages(400, 403, 413),
    openapi_extra=form_body("bank_name"),
)
async def create_bank(request: Request, curator: Curating) -> RedirectResponse:
    """A new, empty bank; leads back to where its form was."""
    name = _required(await read_form(request), "bank_name", "Bank name")
    await curator.ask(lambda catalog: catalog.banks.create(name))
    return RedirectResponse("./", 302)


ui = target("ui")


async def _query_signals(
    services: Services, limits: Limits, hashed: HashedContent, fields: Mapping[str, str]
) -> Json:
    bypass = fields.get(_BYPASS, "true").lower() == "true"
    matches: list[QueryMatch] = []
    lookups: dict[str, Lookup] = {}
    for name, signal in hashed.signals.items():
        if signal:  # else there is too little in the content to tell it from others
            rules = LookupRules(coin=toss_coin(bypass=bypass))
            lookup = await run_lookup(services, limits, LookupQuery(name, (signal,), rules))
            lookups[name] = lookup
            matches += [_query_match(match, name, signal) for match in lookup.matches[0]]
    matches.sort(key=lambda match: _order(match["distance"]))
    banks = sorted({match["bank_name"] for match in matches})
    answer = {"banks": banks, "hashes": dict(hashed.signals), "matches": matches}
    return Json(answer, headers=not_hashed(hashed.failures) | matches_left(lookups))


def _query_match(match: ContentMatch, signal_type: str, signal: str) -> QueryMatch:
    answer: QueryMatch = {
        "bank_name": match.bank.name,
        "content_id": match.content_id,
        "distance": match.distance,
        "signal_type": signal_type,
        "signal_value": signal,
    }
    if match.metadata:
        answer["metadata"] = match.metadata
    if match.note:
        answer["note"] = match.note
    return answer


async def _wanted_signals(curator: Curator, body: FindRequest) -> HashedContent:
    """The signals that `body` names, or leads to."""
    if body.url:
        if not body.content_type:
            raise BadInput("content_type required when searching by URL")
        return await _hash_url(curator.services, curator.limits, body.url, body.content_type)
    if body.signal_type and body.signal_value:
        return HashedContent({body.signal_type: body.signal_value})
    raise BadInput("Either 'url' with 'content_type' or 'signal_type' with 'signal_value' required")


async def _hash_url(
    services: Services, limits: Limits, url: str, content_type: str
) -> HashedContent:
    try:
        async with open_url(services, limits, url, content_type) as media:
            return await hash_media(services, limits, media)
    except (BadInput, TooLarge) as error:
        raise BadInput(f"Failed to hash URL content: {error.message}") from error


def _required(fields: Mapping[str, str], name: str, called: str) -> str:
    if not fields.get(name):
        raise BadInput(f"{called} is required")
    return fields[name]


def _order(distance: str) -> float:
    """Nearest first; what has no distance last."""
    try:
        return float(distance)
    except ValueError:
        return float("inf")
