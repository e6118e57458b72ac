"""The publish function: `POST /publish`, for a scheduler to call.

`curate` publishes what it commits; this repairs what it had to leave behind, and tells readers
that their snapshot is still the newest.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.jobs.publish import PublishJob
from core.services import Services
from functions.web.answer import Json, SnapshotNumbers, at
from functions.web.app import target
from functions.web.dependencies import AppLimits, AppServices, in_thread
from functions.web.errors import errors

router = APIRouter(tags=["Publishing"])


class PublishRequest(BaseModel):
    rebuild: bool = Field(
        False, description="First make every index anew from the whole catalog, trusting none."
    )


@router.post("/publish", response_model=SnapshotNumbers, responses=errors(422))
async def publish_all(
    query: Annotated[PublishRequest, Query()], services: AppServices, limits: AppLimits
) -> Json:
    """Bring every index up to the catalog. Answers the number of each signal type's snapshot."""
    numbers = await in_thread(limits.catalog, _publish, services, query.rebuild)
    return Json(numbers, headers=at(numbers))


publish = target("publish")


def _publish(services: Services, rebuild: bool) -> dict[str, int]:
    job = PublishJob(services)
    if rebuild:
        job.rebuild()
    return job.publish()
