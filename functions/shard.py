"""The shard function: one share of the index, for routers to ask. No client asks it.

`HMA_SHARD` says which share. It reads nothing but the object store, as `match` does.
"""

import functools
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from core.errors import Unavailable
from core.index.reading.shard_reply import Reply
from core.services import Services
from functions import status
from functions.web.answer import Json
from functions.web.app import target
from functions.web.body import body_of, model_body
from functions.web.dependencies import AppLimits, AppServices, in_thread
from functions.web.errors import errors

router = APIRouter(prefix="/shard", tags=["Sharding"])


class Question(BaseModel):
    signal_type: str = Field(description="The type of all the signals.")
    signals: list[str] = Field(description="The signals to search for; none to ask for the rest.")
    threshold: int | None = Field(None, ge=0, description="Largest distance in bits that matches.")
    min_snapshot: int | None = Field(None, ge=0, description="The oldest snapshot to answer from.")
    count: bool = Field(False, description="Whether to count the live contents of this share.")


@router.post("/search", responses=errors(400, 413, 422), openapi_extra=model_body(Question))
async def search(
    question: Annotated[Question, Depends(body_of(Question))],
    services: AppServices,
    limits: AppLimits,
) -> Json:
    """What is near each signal in this share, live or disabled, and the snapshot that says so."""
    reply = functools.partial(_reply, services, question)
    name = question.signal_type
    services.signal_types.get(name)
    at_once = len(question.signals) == 1 and question.min_snapshot is None
    try:
        if at_once and not services.index.due(name):
            return Json(reply().to_json())
        return Json((await in_thread(limits.index, reply)).to_json())
    except Unavailable as error:
        said = {"error": type(error).__name__, "message": error.message}
        return Json(said, error.status, {"Retry-After": str(error.retry_after)})


shard = target("shard", router, status.router)


def _reply(services: Services, asked: Question) -> Reply:
    name = asked.signal_type
    signals = [services.signal_types.validate(name, signal) for signal in asked.signals]
    loaded = services.index.get(name, asked.min_snapshot)
    answer = loaded.answer(signals, asked.threshold)
    return Reply(services.settings.shard, answer, loaded.size() if asked.count else 0)
