"""The shard function: one share of the index, for routers to ask. No client asks it.

`HMA_SHARD` says which share. It reads nothing but the object store, as `match` does.
"""

import functools
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from core.errors import LongSearch, Unavailable
from core.index.reading.lookup_index import SearchResult
from core.index.reading.shard_reply import ShardReply
from core.services import Services
from functions.web.answer import Json
from functions.web.app import target
from functions.web.body import body_of, model_body
from functions.web.dependencies import AppLimits, AppServices, in_thread
from functions.web.errors import errors
from functions.web.run_lookup import QUICK_HITS

router = APIRouter(prefix="/shard", tags=["Sharding"])


class ShardQuestion(BaseModel):
    signal_type: str = Field(description="The type of all the signals.")
    signals: list[str] = Field(description="The signals to search for; none to ask for the rest.")
    threshold: int | None = Field(None, ge=0, description="Largest distance in bits that matches.")
    min_snapshot: int | None = Field(None, ge=0, description="The oldest snapshot to answer from.")
    count: bool = Field(False, description="Whether to count the live contents of this share.")


@router.post("/search", responses=errors(400, 413, 422), openapi_extra=model_body(ShardQuestion))
async def search(
    question: Annotated[ShardQuestion, Depends(body_of(ShardQuestion))],
    services: AppServices,
    limits: AppLimits,
) -> Json:
    """What is near each signal in this share, live or disabled, and the snapshot that says so."""
    reply = functools.partial(_search_share, services, question)

    def answer() -> Json:
        return Json(reply().to_json())

    name = question.signal_type
    services.signal_types.get(name)
    at_once = len(question.signals) == 1 and question.min_snapshot is None
    try:
        if at_once and not services.index.due(name):
            with suppress(LongSearch):
                return Json(reply(QUICK_HITS).to_json())
        return await in_thread(limits.index, answer)
    except Unavailable as error:
        refusal = {"error": type(error).__name__, "message": error.message}
        return Json(refusal, error.status, {"Retry-After": str(error.retry_after)})


shard = target("shard")


def _search_share(
    services: Services, question: ShardQuestion, most_hits: int | None = None
) -> ShardReply:
    name = question.signal_type
    signals = [services.signal_types.validate(name, signal) for signal in question.signals]
    loaded = services.index.get(name, question.min_snapshot)
    result = SearchResult(loaded.state, loaded.search(signals, question.threshold, most_hits))
    return ShardReply(services.settings.shard, result, loaded.size() if question.count else 0)
