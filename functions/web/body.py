"""JSON bodies: read within a bound, decoded strictly, checked against a model if there is one."""

import json
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import anyio.to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError, WithJsonSchema

from core.errors import BadInput, NotJson, TooLarge

M = TypeVar("M", bound=BaseModel)

YES_OR_NO = {
    "anyOf": [
        {"type": "boolean"},
        {"enum": [0, 1]},
        {"enum": ["0", "1", "false", "true", "no", "yes", "off", "on", "f", "t", "n", "y"]},
    ]
}
TruthInput = Annotated[bool, WithJsonSchema(YES_OR_NO)]
"""A truth value as HMA's clients may write it."""

SHARE = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^(0(\.[0-9]{1,17})?|1)$"},
        {"type": "boolean"},
    ]
}
ShareInput = Annotated[float, WithJsonSchema(SHARE)]
"""A number from 0 to 1, which may come as a string."""

_LARGEST = 8 << 20
"""Bytes of a JSON body. It is held in memory, several times over once decoded."""

_QUICK = 64 << 10
"""Bytes that an event loop decodes itself."""

_DEEPEST = 64
"""Levels of nesting; what is stored is decoded again by readers with stacks of their own."""


def is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


async def read_json(request: Request) -> Any:
    """The body, decoded.

    Raises:
        NotJson: it is declared as something else.
        TooLarge: it is longer than a JSON body may be.
        BadInput: it is not JSON, strictly read.
    """
    if not is_json(request):
        raise NotJson(
            "Did not attempt to load JSON data because the request Content-Type was not "
            "'application/json'."
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise TooLarge(f"A JSON body may have at most {_LARGEST} bytes.")
    if len(body) <= _QUICK:
        return parse_json(bytes(body))
    return await anyio.to_thread.run_sync(parse_json, bytes(body))


async def read_object(request: Request) -> dict[str, Any]:
    """As `read_json`; anything but an object is `BadInput`."""
    value = await read_json(request)
    if not isinstance(value, dict):
        raise BadInput("Request input was not a dict")
    return value


def body_of(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """A dependency: the body as a `model`. What is no JSON object at all fails as a whole."""

    async def parsed(request: Request) -> M:
        try:
            value = await read_json(request)
        except (NotJson, BadInput):
            value = None
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise RequestValidationError(error.errors()) from error

    return parsed


def model_body(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of such a body."""
    return _request_body("application/json", model.model_json_schema())


def file_body(*fields: str, or_json: dict[str, Any] | None = None) -> dict[str, Any]:
    """What OpenAPI says of a form with one file, named for its content type, and `fields`.

    Args:
        or_json: the schema of a JSON body that may come instead, or nothing at all.
    """
    file = {"type": "string", "format": "binary", "description": "or `video`, …: exactly one file"}
    form = _request_body("multipart/form-data", _form(dict.fromkeys(fields, _TEXT), photo=file))
    if or_json is not None:
        form["requestBody"]["required"] = False
        form["requestBody"]["content"]["application/json"] = {"schema": or_json}
    return form


def form_body(*required: str, optional: Sequence[str] = ()) -> dict[str, Any]:
    """What OpenAPI says of a form of text fields."""
    schema = _form(dict.fromkeys(optional, _TEXT), **dict.fromkeys(required, _TEXT))
    types = ("application/x-www-form-urlencoded", "multipart/form-data")
    body = {"required": True, "content": {name: {"schema": schema} for name in types}}
    return {"requestBody": body}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of a JSON body that no model describes."""
    return _request_body("application/json", schema)


def parse_json(text: bytes | str) -> Any:
    """Strict JSON: no NaN, nothing infinite, no more levels than anybody means.

    Raises:
        BadInput: saying what is wrong with it.
    """
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite)
        _check(value, _DEEPEST)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"Failed to decode JSON object: {error}") from error
    return value


_TEXT = {"type": "string"}


def _form(optional: dict[str, Any], **required: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": required | optional, "required": list(required)}


def _request_body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def _check(value: Any, levels: int) -> None:
    if levels == 0:
        raise ValueError(f"nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, levels - 1)


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is out of range")
    return number
