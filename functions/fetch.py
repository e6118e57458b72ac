"""The fetch function: `POST /fetch`, for a scheduler to call.

It works for as long as a function may and stops where the next call goes on, so a schedule of a
few minutes downloads a list of any length.
"""

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.exchanges.fetch_report import FetchReport
from core.exchanges.opinion import OpinionReport
from core.jobs.fetch import FetchJob
from core.jobs.opinions import OpinionsJob
from core.services import Services
from functions.web.answer import Json, at
from functions.web.app import target
from functions.web.dependencies import AppLimits, AppServices, in_thread
from functions.web.errors import errors

router = APIRouter(tags=["Fetching"])


class FetchRequest(BaseModel):
    exchange: str | None = Field(
        None, description="Only this one, also when it failed a moment ago; else all that are due."
    )
    seconds: float | None = Field(
        None, gt=0, le=86400, description="Time to work; else HMA_FETCH_SECONDS."
    )


class FetchedAnswer(TypedDict):
    exchanges: dict[str, dict[str, Any]]
    opinions: dict[str, dict[str, int]]


@router.post("/fetch", response_model=FetchedAnswer, responses=errors(404, 422))
async def fetch_exchanges(
    query: Annotated[FetchRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """Fetch exchanges, publish what changed, and tell them of opinions that are due."""
    done = await in_thread(limits.fetching, fetch_answer, services, query.exchange, query.seconds)
    snapshots: dict[str, int] = {}
    for report in done["exchanges"].values():
        for name, number in report["snapshots"].items():
            snapshots[name] = max(number, snapshots.get(name, 0))
    return Json(done, headers=at(snapshots))


fetch = target("fetch")


def fetch_answer(
    services: Services, exchange: str | None = None, seconds: float | None = None
) -> dict[str, Any]:
    """What one call does, and answers: `exchanges` by name, and `opinions`.

    `seconds` bound all of it: a function that works longer than it may is stopped in its middle.
    """
    deadline = time.monotonic() + (services.settings.fetch_seconds if seconds is None else seconds)
    fetched = FetchJob(services).fetch(deadline, exchange)
    told = OpinionsJob(services).send(deadline)
    return {
        "exchanges": {report.exchange: _fetch_answer(report) for report in fetched},
        "opinions": {report.exchange: _opinions_answer(report) for report in told},
    }


def _fetch_answer(report: FetchReport) -> dict[str, Any]:
    applied = {name: n for name, n in asdict(report.applied).items() if name != "signal_types"}
    return {
        "fetched": report.fetched,
        "up_to_date": report.up_to_date,
        "running": report.running,
        "error": report.error,
        "snapshots": report.snapshots,
        **applied,
    }


def _opinions_answer(report: OpinionReport) -> dict[str, int]:
    return {"sent": report.sent, "postponed": report.postponed, "refused": report.refused}
