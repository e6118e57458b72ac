"""The status function: `/status`, and where `/` leads. For whoever balances load."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, RedirectResponse

from core.errors import HmaError, IndexStale
from core.matching.status import check_lookups
from core.services import Services
from functions.web.app import target
from functions.web.dependencies import AppLimits, AppServices, in_thread
from functions.web.errors import errors

router = APIRouter(tags=["Core"])


@router.get("/", status_code=302, response_class=RedirectResponse, responses=errors())
async def home() -> RedirectResponse:
    """Leads to `/status`."""
    return RedirectResponse("/status", 302)


@router.get(
    "/status",
    response_class=PlainTextResponse,
    responses={
        503: {
            "description": "They cannot: INDEX-NOT-LOADED or INDEX-STALE",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def ready(services: AppServices, limits: AppLimits) -> PlainTextResponse:
    """Whether lookups can be answered: 503 until every enabled type's index is loaded and fresh."""
    try:
        await in_thread(limits.index, _check_lookups, services)
    except IndexStale as error:
        return PlainTextResponse("INDEX-STALE", 503, {"Retry-After": str(error.retry_after)})
    except HmaError:
        return PlainTextResponse("INDEX-NOT-LOADED", 503, {"Retry-After": "1"})
    return PlainTextResponse("I-AM-ALIVE")


status = target("status")


def _check_lookups(services: Services) -> None:
    check_lookups(services.lookup_index, services.signal_types.enabled())
