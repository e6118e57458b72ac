"""The match function: `/m/*`. Reads nothing but the object store."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from core.errors import BadInput, Forbidden
from core.matching.compare import compare_signals
from core.matching.lookup import Lookup, LookupQuery, toss_coin
from core.matching.status import read_lookup_status, select_types
from core.services import Services
from core.signal_types.hash_content import HashedContent
from functions.web.answer import Json, not_hashed
from functions.web.app import target
from functions.web.body import (
    body_of,
    file_body,
    json_body,
    model_body,
    read_json,
)
from functions.web.dependencies import AppLimits, AppServices, Limits, in_thread
from functions.web.errors import errors
from functions.web.lookup_parameters import (
    BatchRequest,
    LookupRequest,
    RawLookupRequest,
    UploadLookupRequest,
    UrlLookupRequest,
    VariedQuery,
)
from functions.web.match_answer import (
    Batch,
    HashesAndMatches,
    IndexStatus,
    Matches,
    MatchesByType,
    RawMatches,
    Refused,
    Searched,
    match_object,
    matches_by_bank,
    matches_by_type,
    snapshot_header,
)
from functions.web.request_media import hash_media, open_upload, open_url
from functions.web.run_lookup import run_lookup

router = APIRouter(prefix="/m", tags=["Matching"])

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


@router.get("/raw_lookup", response_model=RawMatches, responses=errors(400, 422))
async def raw_lookup(
    query: Annotated[RawLookupRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """Content near a signal, whether or not it is disabled or its bank takes part."""
    name = query.signal_type
    asked = LookupQuery(name, (query.signal,), query.rules(name, query.bank_names()))
    lookup = await run_lookup(services, limits, asked)
    as_objects = query.include_distance or query.include_metadata
    matches = [
        match_object(match, extras=query.include_metadata) if as_objects else match.content_id
        for match in lookup.matches[0]
    ]
    return Json({"matches": matches}, headers=snapshot_header({name: lookup}))


@router.get(
    "/lookup",
    response_model=Matches | MatchesByType,
    responses=errors(400, 403, 413, 422),
)
async def lookup(
    query: Annotated[LookupRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """Enabled content near a signal, or near the signals of what a URL leads to, by bank."""
    bypass = query.bypass_coinflip
    failures: Collection[str] = ()
    if query.url:
        hashed = (await _hash_url(query, services, limits)).tellable()
        if failure := hashed.failures.get(query.signal_type or ""):
            raise failure
        lookups = await _look_up_hashed(services, limits, hashed, query, bypass=bypass)
        failures = hashed.failures
    elif query.signal and query.signal_type:
        name, kinds = query.signal_type, query.kinds(services.settings)
        asked = LookupQuery(
            name,
            (query.signal,),
            query.tossed_rules(name, bypass=bypass),
            orientations=name == "pdq" and "orientation" in kinds,
        )
        lookups = {name: await run_lookup(services, limits, asked)}
    else:
        raise BadInput("Either url or both signal and signal_type are required")
    matches = matches_by_type(lookups, extras=query.include_metadata)
    only = query.signal_type
    answer = matches if only is None else matches.get(only, {})
    return Json(answer, headers=snapshot_header(lookups) | not_hashed(failures))


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
    hashed = (await _hash_upload(query, request, services, limits)).tellable()
    bypass = query.bypass_coinflip == "true"
    lookups = await _look_up_hashed(services, limits, hashed, query, bypass=bypass)
    matches = matches_by_type(lookups, extras=query.include_metadata)
    return Json(matches, headers=snapshot_header(lookups) | not_hashed(hashed.failures))


@router.get(
    "/hash_and_match",
    response_model=HashesAndMatches,
    responses=errors(400, 403, 413, 422),
)
async def hash_and_match(
    query: Annotated[UrlLookupRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """The signals of what a URL leads to, and the enabled content near them, in one answer."""
    hashed = await _hash_url(query, services, limits)
    bypass = query.bypass_coinflip
    return await _hashes_and_matches(services, limits, hashed, query, bypass=bypass)


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
    hashed = await _hash_upload(query, request, services, limits)
    bypass = query.bypass_coinflip == "true"
    return await _hashes_and_matches(services, limits, hashed, query, bypass=bypass)


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
    name = body.signal_type
    coin = toss_coin(body.seed, bypass=body.bypass_coinflip)
    asked = LookupQuery(name, body.signals, body.rules(name, body.banks, coin), partial=True)
    lookup = await run_lookup(services, limits, asked)
    answers: list[Searched | Refused] = [
        {"error": lookup.errors[place].message}
        if place in lookup.errors
        else {"matches": matches_by_bank(matches, extras=body.include_metadata)}
        for place, matches in enumerate(lookup.matches)
    ]
    searched = len(lookup.errors) < len(lookup.matches)
    headers = snapshot_header({name: lookup} if searched else {})
    return Json({"results": answers}, headers=headers)


@router.get("/index/status", response_model=dict[str, IndexStatus], responses=errors(400))
async def index_status(
    services: AppServices, limits: AppLimits, signal_type: str | None = None
) -> Json:
    """Whether there is an index of each signal type, when it was made, how large it is."""
    names = select_types(services.signal_types, signal_type)
    by_type = await in_thread(limits.index, read_lookup_status, services.lookup_index, names)
    return Json({name: asdict(lookup_status) for name, lookup_status in by_type.items()})


@router.post(
    "/compare",
    response_model=dict[str, list[bool | dict[str, Any]]],
    responses=errors(400, 413, 415),
    openapi_extra=json_body(PAIRS),
)
async def compare(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """Whether two signals of each type match, and how far apart they are."""
    pairs = await read_json(request)
    types = services.signal_types
    compared = await limits.comparing.take(limits.client, lambda _: compare_signals(types, pairs))
    return Json(compared)


match = target("match")


async def _hash_upload(
    query: UploadLookupRequest, request: Request, services: Services, limits: Limits
) -> HashedContent:
    _check_role(services)
    async with open_upload(request) as media:
        kinds = query.kinds(services.settings)
        return await hash_media(services, limits, media, query.types, kinds=kinds)


async def _hash_url(
    query: LookupRequest | UrlLookupRequest, services: Services, limits: Limits
) -> HashedContent:
    _check_role(services)
    kinds = query.kinds(services.settings)
    async with open_url(services, limits, query.url or "", query.content_type) as media:
        return await hash_media(services, limits, media, query.types, kinds=kinds)


async def _look_up_hashed(
    services: Services, limits: Limits, hashed: HashedContent, query: VariedQuery, *, bypass: bool
) -> dict[str, Lookup]:
    """A lookup, with a coin of its own, for each signal type; the variants are of PDQ."""
    return {
        name: await run_lookup(
            services,
            limits,
            LookupQuery(
                name,
                (signal,),
                query.tossed_rules(name, bypass=bypass),
                hashed.variants if name == "pdq" else (),
            ),
        )
        for name, signal in hashed.signals.items()
    }


async def _hashes_and_matches(
    services: Services, limits: Limits, hashed: HashedContent, query: VariedQuery, *, bypass: bool
) -> Json:
    """A signal is `""` where the content has too little in it: that one is not looked up."""
    told = hashed.tellable()
    if not any(told.signals.values()) and not told.variants:
        told = HashedContent({})
    lookups = await _look_up_hashed(services, limits, told, query, bypass=bypass)
    matches = matches_by_type(lookups, extras=query.include_metadata)
    answer = {"hashes": dict(hashed.signals), "matches": matches}
    return Json(answer, headers=snapshot_header(lookups) | not_hashed(hashed.failures))


def _check_role(services: Services) -> None:
    if not services.settings.hash_in_match:
        raise Forbidden("Hashing is disabled, missing role")
