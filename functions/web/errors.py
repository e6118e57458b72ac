"""The one place where an error becomes an answer.

Form A is `{"message": "…"}` with the error's status; form B a 422 holding an array of pydantic's
errors; form C, of all below `/ui`, a page for people. There is no 500: what nobody foresaw is
logged and answered 503, because to a client "we do not know" and "try again" is the truth.
"""

import logging
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from pydantic.version import version_short
from starlette.exceptions import HTTPException

from core.errors import HmaError, Unauthorized, Unavailable
from functions.web.answer import Json


class Message(BaseModel):
    """Form A."""

    message: str


class Invalid(BaseModel):
    """One error of form B."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any
    url: str


Answers = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Answers:
    """What OpenAPI says of the errors of a route: those every route has, and `statuses`."""
    return {status: _DESCRIPTIONS[status] for status in sorted({401, 503, *statuses})}


def pages(*statuses: int) -> Answers:
    """As `errors`, of a route below `/ui`."""
    return {
        status: {"description": answer["description"], "content": {"text/html": {}}}
        if status != 422
        else answer
        for status, answer in errors(*statuses).items()
        if isinstance(status, int)
    }


def _describe_form_a(description: str, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": description, "model": Message}
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return answer


_DESCRIPTIONS: dict[int, dict[str, Any]] = {
    400: _describe_form_a("The request can never succeed as it is"),
    401: _describe_form_a("Tokens are asked for, and it has none", WWW_Authenticate="Bearer"),
    403: _describe_form_a("Well-formed, but not allowed"),
    404: _describe_form_a("It surely does not exist"),
    413: _describe_form_a("Too large"),
    415: _describe_form_a("The body is not declared as JSON"),
    422: {"description": "A query or body that is not of its form", "model": list[Invalid]},
    503: _describe_form_a(
        "We do not know right now", Retry_After="Seconds after which to try again"
    ),
}

_log = logging.getLogger(__name__)
_SOURCES = {"query", "path", "header", "cookie", "body"}


def install(app: FastAPI) -> None:
    """Make `app` answer every error in the form the contract gives it."""
    app.add_exception_handler(HmaError, _answer_in_form_a_or_c)
    app.add_exception_handler(HTTPException, _answer_in_form_a_or_c)
    app.add_exception_handler(RequestValidationError, _answer_in_form_b)


def answer_to(error: HmaError, path: str) -> Response:
    """Form A, or C for what is below `/ui`."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return _render_message(error.message, error.status, headers, path)


def unforeseen(method: str, path: str, error: Exception) -> Response:
    """The answer of last resort. The log has the cause, the client must not."""
    _log.error("%s %r", method, path, exc_info=error)
    unknown = Unavailable("something unforeseen went wrong here; the log says what")
    return answer_to(unknown, path)


def _render_message(
    message: str, status: int, headers: Mapping[str, str] | None, path: str
) -> Response:
    if path != "/ui" and not path.startswith("/ui/"):
        return Json({"message": message}, status, headers)
    title = HTTPStatus(status).phrase
    page = (
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n"
        f"<h1>{title}</h1>\n<p>{escape(message)}</p>\n"
    )
    return HTMLResponse(page.encode(errors="replace"), status, headers)


async def _answer_in_form_a_or_c(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(error, HmaError):
        return answer_to(error, path)
    assert isinstance(error, HTTPException)
    headers = _allow(request) if error.status_code == 405 else error.headers
    return _render_message(error.detail, error.status_code, headers, path)


def _allow(request: Request) -> dict[str, str]:
    """All methods of the path. What the framework says are those of one of its routes."""
    for pattern, methods in request.app.state.methods:
        if pattern.match(request.scope["path"]):
            return {"Allow": ", ".join(sorted(methods))}
    return {}


async def _answer_in_form_b(_: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    return Json([_as_pydantic(problem) for problem in error.errors()], 422)


def _as_pydantic(error: dict[str, Any]) -> dict[str, Any]:
    """What pydantic itself would say: FastAPI puts the source before `loc` and drops `url`."""
    if "url" in error:
        return error
    loc = error["loc"][1:] if error["loc"][0] in _SOURCES else error["loc"]
    url = f"https://errors.pydantic.dev/{version_short()}/v/{error['type']}"
    return {**error, "loc": loc, "url": url}
