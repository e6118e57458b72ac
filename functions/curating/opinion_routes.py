"""Opinions on content that came from an exchange: `/c/bank/<b>/content/<id>/opinion`.

Mounted in `curate`. Recorded always; the exchange is told only if it is switched on for that
(`report_opinions`), and then by `fetch`, until it has heard it.
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.catalog.exchange.opinion import Opinion
from functions.curating.curator import Curating
from functions.web.answer import Json
from functions.web.body import body_of, model_body
from functions.web.errors import errors

router = APIRouter(prefix="/c", tags=["Exchanges"])


class OpinionRequest(BaseModel):
    opinion: Literal["true_positive", "false_positive"] = Field(
        description="Whether what this content matched was what the exchange says."
    )


class OpinionAnswer(TypedDict):
    id: int
    record_key: str
    opinion: str
    state: str
    attempts: int
    next_try_ts: int
    error: str | None


@router.post(
    "/bank/{bank_name}/content/{content_id:id}/opinion",
    response_model=OpinionAnswer,
    responses=errors(400, 404, 413, 422),
    openapi_extra=model_body(OpinionRequest),
)
async def add_opinion(
    bank_name: str,
    content_id: int,
    body: Annotated[OpinionRequest, Depends(body_of(OpinionRequest))],
    curator: Curating,
) -> Json:
    """Record what we found of content that came from an exchange."""
    opinion = await curator.ask(
        lambda catalog: catalog.opinions.add(bank_name, content_id, body.opinion)
    )
    return Json(_opinion(opinion))


@router.get(
    "/bank/{bank_name}/content/{content_id:id}/opinion",
    response_model=list[OpinionAnswer],
    responses=errors(404),
)
async def list_opinions(bank_name: str, content_id: int, curator: Curating) -> Json:
    """The opinions on a content, oldest first, and whether its exchange has heard them."""
    opinions = await curator.ask(lambda catalog: catalog.opinions.on_content(bank_name, content_id))
    return Json([_opinion(opinion) for opinion in opinions])


def _opinion(opinion: Opinion) -> dict[str, Any]:
    shown = ("id", "record_key", "opinion", "state", "attempts", "next_try_ts", "error")
    return {name: value for name, value in asdict(opinion).items() if name in shown}
