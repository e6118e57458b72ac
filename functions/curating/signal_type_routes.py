"""Signal types and content types: `/c/signal_type`, `/c/content_type`. Mounted in `curate`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.curation.index_comparison import compare_index
from core.curation.type_switch import list_type_ratios, set_type_ratio
from core.matching.status import select_types
from core.services import Services
from functions.curating.curator import Curating
from functions.web.answer import Json
from functions.web.body import model_body, read_object
from functions.web.dependencies import in_thread
from functions.web.errors import errors

router = APIRouter(prefix="/c", tags=["Configuration"])


class SignalTypeRequest(BaseModel):
    enabled_ratio: float = Field(description="0 disables the type, all else enables it.")


class SignalTypeRatio(TypedDict):
    enabled_ratio: float
    name: str


class ContentTypeSwitch(TypedDict):
    enabled: bool
    name: str


class IndexAge(TypedDict):
    db_size: int
    index_built_to: int
    index_out_of_date: bool
    index_size: int
    newest_db_item: int


@router.get("/signal_type", response_model=list[SignalTypeRatio], responses=errors())
async def list_signal_types(curator: Curating) -> Json:
    """Every signal type, and whether it is enabled: one of ratio 0 is not."""
    services = curator.services
    ratios = await curator.ask(lambda catalog: list_type_ratios(services.signal_types, catalog))
    return Json([{"enabled_ratio": ratio, "name": name} for name, ratio in ratios.items()])


@router.put(
    "/signal_type/{signal_type}",
    status_code=204,
    responses=errors(400, 404, 413, 415),
    openapi_extra=model_body(SignalTypeRequest),
)
async def update_signal_type(signal_type: str, request: Request, curator: Curating) -> Response:
    """Disable a signal type, so that it is neither hashed nor matched nor banked, or enable it."""
    ratio = (await read_object(request)).get("enabled_ratio")
    services = curator.services
    await curator.ask(
        lambda catalog: set_type_ratio(services.signal_types, catalog, signal_type, ratio)
    )
    return Response(status_code=204, headers=await curator.publish([signal_type]))


@router.get("/signal_type/index", response_model=dict[str, IndexAge], responses=errors(400))
async def index_status(curator: Curating, signal_type: str | None = None) -> Json:
    """How the index of each signal type compares with the catalog."""
    ages = await in_thread(curator.limits.catalog, _index_ages, curator.services, signal_type)
    return Json(ages)


@router.get("/content_type", response_model=list[ContentTypeSwitch], responses=errors())
async def list_content_types(curator: Curating) -> Json:
    """Every content type that is enabled."""
    names = curator.services.signal_types.content_types
    return Json([{"enabled": True, "name": name} for name in names])


def _index_ages(services: Services, signal_type: str | None) -> dict[str, IndexAge]:
    names = select_types(services.signal_types, signal_type)
    compared = compare_index(services.catalog, services.lookup_index, names)
    return {
        name: {
            "db_size": index.banked,
            "index_built_to": index.built_to,
            "index_out_of_date": index.out_of_date,
            "index_size": index.indexed,
            "newest_db_item": index.changed_at,
        }
        for name, index in compared.items()
    }
