"""The routes that every app has: a sign of life, the site map, and OpenAPI."""

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, PlainTextResponse

from functions.web.answer import Json

router = APIRouter()

_OPENAPI = "/openapi/openapi.json"


@router.get("/status/live", tags=["Core"], response_class=PlainTextResponse)
async def live() -> str:
    """Always 200: the process serves. Whether it can answer lookups is `/status`."""
    return "I-AM-ALIVE"


@router.get("/site-map", tags=["Core"], response_model=list[str])
async def site_map(request: Request) -> Json:
    """Every rule this app has a route for."""
    return Json(request.app.state.rules)


@router.get(_OPENAPI, include_in_schema=False)
async def openapi(request: Request) -> Json:
    """The OpenAPI document of this app."""
    return Json(request.app.openapi())


@router.get("/openapi/swagger", include_in_schema=False)
async def swagger(request: Request) -> HTMLResponse:
    """The same as pages to read and try."""
    return get_swagger_ui_html(openapi_url=_OPENAPI, title=request.app.title)


@router.get("/openapi/", include_in_schema=False)
async def index(request: Request) -> HTMLResponse:
    """Leads to both."""
    title = request.app.title
    return HTMLResponse(
        f"<!doctype html><title>{title}</title><h1>{title}</h1>"
        f'<p><a href="/openapi/swagger">Swagger UI</a> · <a href="{_OPENAPI}">OpenAPI</a></p>'
    )
