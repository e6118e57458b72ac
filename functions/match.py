"""The match function: `/m/*`. Reads nothing but the object store."""

import functools
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from core.errors import BadInput, Forbidden
from core.matching import lookup as matching
from core.services import Services
from functions import status
from functions.web.answer import Json, at
from functions.web.app import target
from functions.web.body import (
    TruthInput,
    body_of,
    file_body,
    json_body,
    model_body,
    read_json,
)
from functions.web.dependencies import AppLimits, AppServices, Limits, in_thread
from functions.web.errors import errors
from functions.web.lookup import (
    Scope,
    SearchQuery,
    Types,
    VariedQuery,
    answered,
    by_bank,
    by_type,
    look_up,
    match_object,
    searched,
)
from functions.web.seen import Look, Seen, see_upload, see_url, seen_signal
from functions.web.shapes import (
    Batch,
    HashesAndMatches,
    IndexStatus,
    Matches,
    MatchesByType,
    RawMatches,
)
from functions.web.upload import uploaded

router = APIRouter(prefix="/m", tags=["Matching"])

MOST_SIGNALS = 1000
"""In one request: a few hundred milliseconds of searching."""


PAIRS = {
    "type": "object",
    "description": "By signal type the two signals to compare.",
    "additionalProperties": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 2,
        "maxItems": 2,
    },
}


class RawLookupRequest(SearchQuery):
    signal: str = Field(description="The signal to look up.")
    signal_type: str = Field(description="Its signal type.")
    include_distance: bool = Field(False, description="Answer objects with a distance, not ids.")


class LookupRequest(VariedQuery):
    url: str | None = Field(None, description="Content to fetch, hash and look up; or")
    content_type: str | None = Field(None, description="its content type, if known;")
    types: Types = None
    signal: str | None = Field(None, description="the signal to look up, and")
    signal_type: str | None = Field(None, description="its signal type.")
    bypass_coinflip: bool = Field(False, description="Let every bank take part.")


class UploadLookupRequest(VariedQuery):
    types: Types = None
    bypass_coinflip: str = Field("", description="Let every bank take part, if literally `true`.")


class UrlLookupRequest(VariedQuery):
    url: str = Field(description="Content to fetch, hash and look up.")
    content_type: str | None = Field(None, description="Its content type, if known.")
    types: Types = None
    bypass_coinflip: bool = Field(False, description="Let every bank take part.")


class BatchRequest(Scope):
    signal_type: str = Field(description="The type of all the signals.")
    signals: list[str] = Field(description="The signals to look up.", max_length=MOST_SIGNALS)
    banks: list[str] = Field([], description="Names of banks to search; all if empty.")
    seed: str | None = Field(None, description="Makes the coin toss reproducible.")
    bypass_coinflip: TruthInput = Field(False, description="Let every bank take part.")


@router.get("/raw_lookup", response_model=RawMatches, responses=errors(400, 422))
async def raw_lookup(
    query: Annotated[RawLookupRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """Content near a signal, whether or not it is disabled or its bank takes part."""
    name, wanted = query.signal_type, query.wanted(query.signal_type, query.named())
    search = functools.partial(matching.raw_lookup, services, name, query.signal, wanted)
    found = await searched(services, limits, name, wanted, search)
    matches: list[Any] = [
        match_object(match, extras=query.include_metadata)
        if query.include_distance or query.include_metadata
        else match.content_id
        for match in found.matches
    ]
    return answered({"matches": matches}, {name: found})


@router.get(
    "/lookup",
    response_model=Matches | MatchesByType,
    responses=errors(400, 403, 413, 422),
)
async def lookup(
    query: Annotated[LookupRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """Enabled content near a signal, or near the signals of what a URL leads to, by bank."""
    if query.url:
        _check_role(services)
        seen = await see_url(
            services,
            limits,
            query.url,
            query.content_type,
            Look(query.types, query.kinds(services)),
        )
    elif query.signal and query.signal_type:
        seen = seen_signal(query.signal_type, query.signal, query.kinds(services))
    else:
        raise BadInput("Either url or both signal and signal_type are required")
    found = await look_up(services, limits, seen, query, bypass=query.bypass_coinflip)
    matches = by_type(found, extras=query.include_metadata)
    only = query.signal_type
    return answered(matches if only is None else matches.get(only, {}), found)


@router.post(
    "/lookup",
    response_model=MatchesByType,
    responses=errors(400, 403, 413, 422),
    openapi_extra=file_body(),
)
async def lookup_upload(
    query: Annotated[UploadLookupRequest, Query()],
    request: Request,
    services: AppServices,
    limits: AppLimits,
) -> Json:
    """Enabled content near the signals of an uploaded file, by signal type and bank."""
    seen = await _seen_upload(query, request, services, limits)
    bypass = query.bypass_coinflip == "true"
    found = await look_up(services, limits, seen, query, bypass=bypass)
    return answered(by_type(found, extras=query.include_metadata), found)


@router.get(
    "/hash_and_match",
    response_model=HashesAndMatches,
    responses=errors(400, 403, 413, 422),
)
async def hash_and_match(
    query: Annotated[UrlLookupRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """The signals of what a URL leads to, and the enabled content near them, in one answer."""
    _check_role(services)
    look = Look(query.types, query.kinds(services))
    seen = await see_url(services, limits, query.url, query.content_type, look)
    bypass = query.bypass_coinflip
    return await _hashes_and_matches(services, limits, seen, query, bypass=bypass)


@router.post(
    "/hash_and_match",
    response_model=HashesAndMatches,
    responses=errors(400, 403, 413, 422),
    openapi_extra=file_body(),
)
async def hash_and_match_upload(
    query: Annotated[UploadLookupRequest, Query()],
    request: Request,
    services: AppServices,
    limits: AppLimits,
) -> Json:
    """The signals of an uploaded file, and the enabled content near them, in one answer."""
    seen = await _seen_upload(query, request, services, limits)
    bypass = query.bypass_coinflip == "true"
    return await _hashes_and_matches(services, limits, seen, query, bypass=bypass)


@router.post(
    "/batch_lookup",
    response_model=Batch,
    responses=errors(400, 413, 422),
    openapi_extra=model_body(BatchRequest),
)
async def batch_lookup(
    body: Annotated[BatchRequest, Depends(body_of(BatchRequest))],
    services: AppServices,
    limits: AppLimits,
) -> Json:
    """Enabled content near each of many signals of one type, all from one snapshot."""
    results = await in_thread(
        limits.index,
        matching.lookup_many,
        services,
        body.signal_type,
        body.signals,
        body.wanted(body.signal_type, body.banks),
        coin=matching.toss(body.seed, bypass=body.bypass_coinflip),
    )
    answers = [
        {"error": one.message}
        if isinstance(one, BadInput)
        else {"matches": by_bank(one, extras=body.include_metadata)}
        for one in results
    ]
    number = next((one.snapshot for one in results if isinstance(one, matching.Lookup)), None)
    headers = {} if number is None else at({body.signal_type: number})
    return Json({"results": answers}, headers=headers)


@router.get("/index/status", response_model=dict[str, IndexStatus], responses=errors(400))
async def index_status(
    services: AppServices, limits: AppLimits, signal_type: str | None = None
) -> Json:
    """Whether there is an index of each signal type, when it was made, how large it is."""
    return Json(await in_thread(limits.index, matching.index_status, services, signal_type))


@router.post(
    "/compare",
    response_model=dict[str, list[bool | dict[str, Any]]],
    responses=errors(400, 413, 415),
    openapi_extra=json_body(PAIRS),
)
async def compare(request: Request, services: AppServices) -> Json:
    """Whether two signals of each type match, and how far apart they are."""
    return Json(matching.compare(services, await read_json(request)))


match = target("match", router, status.router)


async def _hashes_and_matches(
    services: Services,
    limits: Limits,
    seen: Seen,
    query: VariedQuery,
    *,
    bypass: bool,
) -> Json:
    """A signal is `""` where the content has too little in it: that one is not looked up."""
    tellable = {name: signal for name, signal in seen.hashes.items() if signal}
    if seen.variants:
        tellable.setdefault("pdq", "")
    told = Seen(tellable, seen.variants)
    found = await look_up(services, limits, told, query, bypass=bypass)
    matches = by_type(found, extras=query.include_metadata)
    return answered({"hashes": seen.hashes, "matches": matches}, found)


async def _seen_upload(
    query: UploadLookupRequest, request: Request, services: Services, limits: Limits
) -> Seen:
    _check_role(services)
    async with uploaded(request) as upload:
        return await see_upload(upload, services, limits, Look(query.types, query.kinds(services)))


def _check_role(services: Services) -> None:
    if not services.settings.hash_in_match:
        raise Forbidden("Hashing is disabled, missing role")
