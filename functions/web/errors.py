"""The one place where an error becomes an answer.

Form A is `{"message": "…"}` with the error's status; form B a 422 holding an array of pydantic's
errors. There is no 500: what nobody foresaw is logged and answered 503, because to a client
"we do not know" and "try again" is the truth.
"""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.version import version_short
from starlette.exceptions import HTTPException

from core.errors import HmaError, Unavailable
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


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    422: {"description": "A query or body that is not of its form", "model": list[Invalid]},
    "default": {"description": "Any other error", "model": Message},
}
"""What OpenAPI says of errors, the same for every route."""

_log = logging.getLogger(__name__)
_SOURCES = {"query", "path", "header", "cookie", "body"}


def install(app: FastAPI) -> None:
    """Make `app` answer every error in the form the contract gives it."""
    app.add_exception_handler(HmaError, _form_a)
    app.add_exception_handler(HTTPException, _form_a)
    app.add_exception_handler(RequestValidationError, _form_b)


def form_a(error: HmaError) -> Json:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return Json({"message": error.message}, error.status, headers)


def unforeseen(method: str, path: str, error: Exception) -> Json:
    """The answer of last resort. The log has the cause, the client must not."""
    _log.error("%s %r", method, path, exc_info=error)
    return form_a(Unavailable("something unforeseen went wrong here; the log says what"))


async def _form_a(_: Request, error: Exception) -> Json:
    if isinstance(error, HmaError):
        return form_a(error)
    assert isinstance(error, HTTPException)
    return Json({"message": error.detail}, error.status_code, error.headers)


async def _form_b(_: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    return Json([_as_pydantic(one) for one in error.errors()], 422)


def _as_pydantic(error: dict[str, Any]) -> dict[str, Any]:
    """What pydantic itself would say: FastAPI puts the source before `loc` and drops `url`."""
    if "url" in error:
        return error
    loc = error["loc"][1:] if error["loc"][0] in _SOURCES else error["loc"]
    url = f"https://errors.pydantic.dev/{version_short()}/v/{error['type']}"
    return {**error, "loc": loc, "url": url}
