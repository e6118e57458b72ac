"""The publish function: `POST /publish`, for a scheduler to call.

`curate` publishes what it commits; this repairs what it had to leave behind, and tells readers
that their snapshot is still the newest.
"""

from fastapi import APIRouter

from core.services import Services
from functions.web.answer import Json, at
from functions.web.app import target
from functions.web.deployed import Deployed, Pools, in_thread

router = APIRouter(tags=["Publishing"])


@router.post("/publish")
async def publish_all(services: Deployed, threads: Pools) -> Json:
    """Bring every index up to the catalog. Answers the number of each signal type's snapshot."""
    numbers = await in_thread(threads.catalog, _publish, services)
    return Json(numbers, headers=at(numbers))


publish = target("publish", router)


def _publish(services: Services) -> dict[str, int]:
    return services.publisher.publish_all()
