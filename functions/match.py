"""The match function: `/m/*`. Reads nothing but the object store.

A lookup is answered on the event loop, which is fastest; only when the index has to look at the
store first does it wait in a thread.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from core import match as matching
from core.errors import BadInput, Forbidden
from core.services import Services
from functions import status
from functions.web.answer import Json, at
from functions.web.app import target
from functions.web.body import documented_file, read_json
from functions.web.deployed import Deployed, Pools, Threads, in_thread
from functions.web.upload import hash_upload, hash_url, uploaded

router = APIRouter(prefix="/m", tags=["Matching"])

Banks = Annotated[
    str | None, Field(description="Comma-separated names of banks to search; all if empty.")
]
MinSnapshot = Annotated[
    str | None,
    Field(
        description="The oldest snapshot to answer from: a number, or an X-HMA-Snapshot header.",
    ),
]


class RawLookupRequest(BaseModel):
    signal: str = Field(description="The signal to look up.")
    signal_type: str = Field(description="Its signal type.")
    banks: Banks = None
    include_distance: bool = Field(False, description="Answer objects with a distance, not ids.")
    min_snapshot: MinSnapshot = None


class LookupRequest(BaseModel):
    url: str | None = Field(None, description="Content to fetch, hash and look up; or")
    content_type: str | None = Field(None, description="its content type, if known;")
    types: str | None = Field(None, description="Comma-separated signal types to hash it to.")
    signal: str | None = Field(None, description="the signal to look up, and")
    signal_type: str | None = Field(None, description="its signal type.")
    banks: Banks = None
    seed: str | None = Field(None, description="Makes the coin toss reproducible.")
    bypass_coinflip: bool = Field(False, description="Let every bank take part.")
    min_snapshot: MinSnapshot = None


class UploadLookupRequest(BaseModel):
    types: str | None = Field(None, description="Comma-separated signal types to hash it to.")
    banks: Banks = None
    seed: str | None = Field(None, description="Makes the coin toss reproducible.")
    bypass_coinflip: str = Field("", description="Let every bank take part, if literally `true`.")
    min_snapshot: MinSnapshot = None


@router.get("/raw_lookup")
async def raw_lookup(
    query: Annotated[RawLookupRequest, Query()], services: Deployed, threads: Pools
) -> Json:
    """Content near a signal, whether or not it is disabled or its bank takes part."""
    found = await _search(
        matching.raw_lookup, services, threads, query.signal_type, query.signal, query
    )
    matches: list[Any] = [
        {"bank_content_id": match.content_id, "distance": match.distance}
        if query.include_distance
        else match.content_id
        for match in found.matches
    ]
    return Json({"matches": matches}, headers=at({query.signal_type: found.snapshot}))


@router.get("/lookup")
async def lookup(
    query: Annotated[LookupRequest, Query()], services: Deployed, threads: Pools
) -> Json:
    """Enabled content near a signal, or near the signals of what a URL leads to, by bank."""
    if query.url:
        _check_role(services)
        hashes = await hash_url(services, threads, query.url, query.content_type, query.types)
    elif query.signal and query.signal_type:
        hashes = {query.signal_type: query.signal}
    else:
        raise BadInput("Either url or both signal and signal_type are required")
    found = await _look_up(services, threads, hashes, query, bypass=query.bypass_coinflip)
    return _answer(found, only=query.signal_type)


@router.post("/lookup", openapi_extra=documented_file())
async def lookup_upload(
    query: Annotated[UploadLookupRequest, Query()],
    request: Request,
    services: Deployed,
    threads: Pools,
) -> Json:
    """Enabled content near the signals of an uploaded file, by signal type and bank."""
    _check_role(services)
    async with uploaded(request) as upload:
        hashes = await hash_upload(upload, services, threads, query.types)
    found = await _look_up(services, threads, hashes, query, bypass=query.bypass_coinflip == "true")
    return _answer(found)


@router.get("/index/status")
async def index_status(services: Deployed, threads: Pools, signal_type: str | None = None) -> Json:
    """Whether there is an index of each signal type, when it was made, how large it is."""
    return Json(await in_thread(threads.index, matching.index_status, services, signal_type))


@router.post("/compare")
async def compare(request: Request, services: Deployed) -> Json:
    """Whether two signals of each type match, and how far apart they are."""
    return Json(matching.compare(services, await read_json(request)))


match = target("match", router, status.router)


async def _look_up(
    services: Services,
    threads: Threads,
    hashes: Mapping[str, str],
    query: LookupRequest | UploadLookupRequest,
    *,
    bypass: bool,
) -> dict[str, matching.Lookup]:
    """One lookup, with a coin of its own, for each signal type."""
    return {
        name: await _search(
            functools.partial(matching.lookup, coin=matching.toss(query.seed, bypass=bypass)),
            services,
            threads,
            name,
            signal,
            query,
        )
        for name, signal in hashes.items()
    }


async def _search(
    search: Callable[..., matching.Lookup],
    services: Services,
    threads: Threads,
    signal_type: str,
    signal: str,
    query: RawLookupRequest | LookupRequest | UploadLookupRequest,
) -> matching.Lookup:
    """`search` on the event loop, unless the index will look at the store first."""
    floor = _floor(query.min_snapshot, signal_type)
    call = functools.partial(
        search,
        services,
        signal_type,
        signal,
        banks=query.banks.split(",") if query.banks else (),
        min_snapshot=floor,
    )
    known = signal_type in services.signal_types.enabled()
    if known and (floor is not None or services.index.due(signal_type)):
        return await in_thread(threads.index, call)
    return call()


def _answer(found: Mapping[str, matching.Lookup], only: str | None = None) -> Json:
    by_type = {
        name: {
            bank: [_match(match) for match in matches] for bank, matches in one.by_bank().items()
        }
        for name, one in found.items()
    }
    return Json(
        by_type if only is None else by_type.get(only, {}),
        headers=at({name: one.snapshot for name, one in found.items()}),
    )


def _match(match: matching.Match) -> dict[str, Any]:
    """What is known of a match goes inside its object: clients read the keys above as banks."""
    answer: dict[str, Any] = {"bank_content_id": match.content_id, "distance": match.distance}
    if match.metadata:
        answer["metadata"] = match.metadata
    if match.note:
        answer["note"] = match.note
    return answer


def _floor(min_snapshot: str | None, signal_type: str) -> int | None:
    """The oldest snapshot of `signal_type` that `min_snapshot` allows: `12` or `pdq=12, …`."""
    for part in min_snapshot.split(",") if min_snapshot else ():
        name, _, number = part.strip().rpartition("=")
        if not re.fullmatch("[0-9]{1,18}", number):
            raise BadInput("min_snapshot must be a snapshot's number or an X-HMA-Snapshot header")
        if name in ("", signal_type):
            return int(number)
    return None


def _check_role(services: Services) -> None:
    if not services.settings.hash_in_match:
        raise Forbidden("Hashing is disabled, missing role")
