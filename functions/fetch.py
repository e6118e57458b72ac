"""The fetch function: `POST /fetch`, for a scheduler to call.

It works for as long as a function may and stops where the next call goes on, so a schedule of a
few minutes downloads a list of any length.
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.exchanges.fetch import FetchReport, fetch_due
from core.exchanges.fetch import fetch as fetch_one
from core.exchanges.opinion import send_due
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
    done = await in_thread(limits.fetching, run, services, query.exchange, query.seconds)
    snapshots: dict[str, int] = {}
    for report in done["exchanges"].values():
        for name, number in report["snapshots"].items():
            snapshots[name] = max(number, snapshots.get(name, 0))
    return Json(done, headers=at(snapshots))


fetch = target("fetch", router)


def run(
    services: Services, exchange: str | None = None, seconds: float | None = None
) -> dict[str, Any]:
    """What one call does, and reports: `exchanges` by name, and `opinions`."""
    budget = services.settings.fetch_seconds if seconds is None else seconds
    if exchange is not None:
        reports = [fetch_one(services, exchange, budget)]
    else:
        reports = fetch_due(services, budget)
    told = send_due(services, budget)
    return {
        "exchanges": {report.exchange: _report(report) for report in reports},
        "opinions": {
            one.exchange: {"sent": one.sent, "postponed": one.postponed, "refused": one.refused}
            for one in told
        },
    }


def _report(report: FetchReport) -> dict[str, Any]:
    applied = {name: n for name, n in asdict(report.applied).items() if name != "signal_types"}
    return {
        "fetched": report.fetched,
        "up_to_date": report.up_to_date,
        "running": report.running,
        "error": report.error,
        "snapshots": report.snapshots,
        **applied,
    }
