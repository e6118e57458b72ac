"""Exchanges: `/c/exchanges`, `/c/exchange/*`. Mounted in `curate`; fetching them is `fetch`.

HMA's routes answer as HMA does. `/progress` and `/poisoned` are ours: how would one know that
everything has been downloaded and can be found?
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.catalog import Catalog
from core.catalog.exchange.exchange import Exchange, check_name
from core.errors import BadInput, NotFound
from core.exchanges.registry import Api, takes_credentials
from core.exchanges.schema import schema
from core.services import Services
from functions.curating.catalog_answers import DoneAnswer
from functions.curating.curator import Curating, Curator
from functions.web.answer import Json
from functions.web.body import TruthInput, body_of, model_body, read_json, read_object
from functions.web.dependencies import in_thread
from functions.web.errors import errors

T = TypeVar("T")

router = APIRouter(prefix="/c", tags=["Exchanges"])

STATUS = (
    "checkpoint_ts",
    "last_fetch_complete_ts",
    "last_fetch_succeeded",
    "running_fetch_start_ts",
    "up_to_date",
)


class ExchangeCreateRequest(BaseModel):
    bank: str = Field(
        description="Name of the exchange, and of the bank it feeds.",
        json_schema_extra={"pattern": "^[A-Z0-9_]+$", "maxLength": 255},
    )
    api: str = Field(description="One of /c/exchanges/apis.")
    api_json: dict[str, Any] = Field({}, description="What /c/exchanges/api/<api>/schema names.")


class ExchangeUpdateRequest(BaseModel):
    enabled: TruthInput | None = Field(None, description="Whether it is fetched.")
    report_opinions: TruthInput | None = Field(
        None, description="Whether the exchange is told of true and false positives."
    )


class CredentialsRequest(BaseModel):
    credential_json: dict[str, Any] | None = Field(
        None, description="What the schema names; {} deletes what is set."
    )


class PageRequest(BaseModel):
    after: int = Field(0, ge=0, le=2**63 - 1, description="`following` of the page before.")
    limit: int = Field(100, ge=1, le=1000)


class Authentication(TypedDict):
    has_set_authentification: bool
    supports_authentification: bool


class FieldAnswer(TypedDict):
    name: str
    type: str
    required: bool
    default: Any
    help: str | None
    choices: list[Any] | None


class Fields(TypedDict):
    fields: list[FieldAnswer]


class ApiSchema(TypedDict):
    config_schema: Fields
    credentials_schema: Fields | None


class ExchangeConfig(TypedDict):
    """And what the exchange's API asks for, under the names that it gives it."""

    api: str
    enabled: bool
    name: str


class ExchangeStatus(TypedDict):
    checkpoint_ts: int | None
    fetched_items: int
    last_fetch_complete_ts: int | None
    last_fetch_succeeded: bool | None
    running_fetch_start_ts: int | None
    up_to_date: bool


class ExchangeProgress(TypedDict):
    enabled: bool
    fetch: dict[str, Any]
    fetched: dict[str, Any]
    opinions: dict[str, Any]
    ready: bool
    report_opinions: bool
    unpublished: int


class PoisonedRecord(TypedDict):
    key: str
    reason: str
    record: Any


class PoisonedAnswer(TypedDict):
    following: int | None
    records: list[PoisonedRecord]


@router.get("/exchanges/apis", response_model=list[str], responses=errors())
async def list_apis(curator: Curating) -> Json:
    """The names of all exchange APIs that can be fetched from."""
    return Json(await _with(curator, lambda services: services.exchange_apis.names()))


@router.get("/exchanges/api/{api_name}", response_model=Authentication, responses=errors(400, 404))
async def show_api(api_name: str, curator: Curating) -> Json:
    """Whether an API takes credentials, and has some."""
    return Json(await _with(curator, lambda services: _api(services, api_name)))


@router.post(
    "/exchanges/api/{api_name}",
    response_model=Authentication,
    responses=errors(400, 404, 413, 415),
    openapi_extra=model_body(CredentialsRequest),
)
async def set_credentials(api_name: str, request: Request, curator: Curating) -> Json:
    """Set the credentials of an API, or delete them."""
    await _with(curator, lambda services: _known(services, api_name))
    body = await read_json(request)
    if not isinstance(body, dict):
        raise BadInput("this endpoint expects a json object payload")
    credentials = body.get("credential_json")

    def change(services: Services) -> dict[str, bool]:
        if credentials is not None:
            services.credentials.set(api_name, credentials)
        return _api(services, api_name)

    return Json(await _with(curator, change))


@router.get("/exchanges/api/{api_name}/schema", response_model=ApiSchema, responses=errors(404))
async def show_schema(api_name: str, curator: Curating) -> Json:
    """What an API asks for: of each exchange, and as credentials."""

    def described(services: Services) -> dict[str, Any]:
        if api_name not in services.exchange_apis.apis:
            raise NotFound(f"Exchange API '{api_name}' not found")
        return schema(services.exchange_apis.get(api_name))

    return Json(await _with(curator, described))


@router.post(
    "/exchanges",
    status_code=201,
    response_model=DoneAnswer,
    responses=errors(400, 403, 413, 415),
    openapi_extra=model_body(ExchangeCreateRequest),
)
async def create_exchange(request: Request, curator: Curating) -> Json:
    """A new exchange, and the bank that it feeds."""
    body = await read_object(request)
    name, api, api_json = body.get("bank"), body.get("api"), body.get("api_json", {})
    if name is None:
        raise BadInput("bank is required")
    check_name(name)
    if not isinstance(api_json, dict):
        raise BadInput("Field `api_json` must be object")
    if api is None:
        raise BadInput("Field `api_type` is required")

    def create(services: Services) -> None:
        config = services.exchange_apis.complete_config(api, name, api_json)
        services.catalog.exchanges.create(name, api, config, api_json.get("enabled") is not False)

    await _with(curator, create)
    return Json({"message": "Created successfully"}, 201)


@router.get("/exchanges", response_model=list[str], responses=errors())
async def list_exchanges(curator: Curating) -> Json:
    """The names of all exchanges."""
    exchanges = await curator.ask(lambda catalog: catalog.exchanges.every())
    return Json([exchange.name for exchange in exchanges])


@router.get("/exchange/{exchange_name}", response_model=ExchangeConfig, responses=errors(404))
async def show_exchange(exchange_name: str, curator: Curating) -> Json:
    """What an exchange was made with."""
    return Json(_config(await curator.ask(lambda catalog: catalog.exchanges.get(exchange_name))))


@router.put(
    "/exchange/{exchange_name}",
    response_model=ExchangeConfig,
    responses=errors(404, 413, 422),
    openapi_extra=model_body(ExchangeUpdateRequest),
)
async def update_exchange(
    exchange_name: str,
    body: Annotated[ExchangeUpdateRequest, Depends(body_of(ExchangeUpdateRequest))],
    curator: Curating,
) -> Json:
    """Switch an exchange on or off, or the telling of opinions."""
    changed = await curator.ask(
        lambda catalog: catalog.exchanges.update(exchange_name, body.enabled, body.report_opinions),
    )
    return Json(_config(changed))


@router.delete("/exchange/{exchange_name}", response_model=DoneAnswer, responses=errors(404))
async def delete_exchange(exchange_name: str, curator: Curating) -> Json:
    """Delete an exchange with its bank, if it is there."""
    await curator.ask(lambda catalog: catalog.exchanges.delete(exchange_name))
    return Json({"message": "Exchange deleted"}, headers=await curator.publish())


@router.get(
    "/exchange/{exchange_name}/status", response_model=ExchangeStatus, responses=errors(404)
)
async def show_status(exchange_name: str, curator: Curating) -> Json:
    """How the last fetch of an exchange went."""

    def status(catalog: Catalog) -> dict[str, Any]:
        exchange = catalog.exchanges.get(exchange_name)
        progress = catalog.progress.get(exchange)
        return {
            "fetched_items": catalog.records.count(exchange),
            **{name: getattr(progress, name) for name in STATUS},
        }

    return Json(await curator.ask(status))


@router.get(
    "/exchange/{exchange_name}/progress",
    response_model=ExchangeProgress,
    responses=errors(404),
)
async def show_progress(exchange_name: str, curator: Curating) -> Json:
    """How much of an exchange is fetched, how much of that can be found, and what went wrong.

    `ready`: everything has been downloaded, and lookups know all of it.
    """

    def progress(catalog: Catalog) -> dict[str, Any]:
        exchange = catalog.exchanges.get(exchange_name)
        state = catalog.progress.get(exchange)
        counts = asdict(catalog.records.counts(exchange))
        unpublished = counts.pop("unpublished")
        also = ("error", "failures", "next_try_ts")
        return {
            "enabled": exchange.enabled,
            "fetch": {name: getattr(state, name) for name in (*STATUS, *also)},
            "fetched": counts,
            "opinions": catalog.opinions.count(exchange),
            "ready": state.up_to_date and not state.sweeping and unpublished == 0,
            "report_opinions": exchange.report_opinions,
            "unpublished": unpublished,
        }

    return Json(await curator.ask(progress))


@router.get(
    "/exchange/{exchange_name}/poisoned", response_model=PoisonedAnswer, responses=errors(404, 422)
)
async def list_poisoned(
    exchange_name: str, page: Annotated[PageRequest, Query()], curator: Curating
) -> Json:
    """Records of an exchange that could not be understood, or not all of them, and why."""

    def poisoned(catalog: Catalog) -> dict[str, Any]:
        rows = catalog.records.poisoned(
            catalog.exchanges.get(exchange_name), page.after, page.limit
        )
        records = [
            {"key": key, "reason": reason, "record": record} for _, key, reason, record in rows
        ]
        return {
            "following": rows[-1][0] if len(rows) == page.limit else None,
            "records": records,
        }

    return Json(await curator.ask(poisoned))


async def _with(curator: Curator, question: Callable[[Services], T]) -> T:
    return await in_thread(curator.limits.catalog, question, curator.services)


def _known(services: Services, name: str) -> Api:
    if name not in services.exchange_apis.apis:
        raise BadInput(f"no such Exchange API '{name}'")
    return services.exchange_apis.get(name)


def _api(services: Services, name: str) -> dict[str, bool]:
    # Spelt as clients know it.
    return {
        "supports_authentification": takes_credentials(_known(services, name)),
        "has_set_authentification": services.credentials.has(name),
    }


def _config(exchange: Exchange) -> dict[str, Any]:
    return {
        **exchange.config,
        "name": exchange.name,
        "api": exchange.api,
        "enabled": exchange.enabled,
    }
