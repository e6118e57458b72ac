"""The metadata that a curator may attach to content, and no other."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from core.catalog.text import storable
from core.errors import BadInput


class _Metadata(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    content_id: str | None = None
    content_uri: str | None = None
    free: dict[str, Any] | None = Field(
        None,
        validation_alias=AliasChoices("json", "json_data"),
        serialization_alias="json",
    )


def checked_metadata(value: Any) -> dict[str, Any] | None:
    """`given` with its keys as they are stored: `content_id`, `content_uri`, `json`.

    Returns:
        Without what is null; None when nothing is left.

    Raises:
        BadInput: not an object, an unknown key, a wrong type, or what JSON cannot say.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadInput("metadata should be a json object")
    try:
        metadata = _Metadata.model_validate(value).model_dump(by_alias=True, exclude_none=True)
        json.dumps(metadata, allow_nan=False)
        if not all(map(storable, _texts(metadata))):
            raise BadInput("Invalid metadata: text must be UTF-8 without NUL")
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput("Invalid metadata: " + "; ".join(problems)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"Invalid metadata: {error}") from error
    return metadata or None


def _texts(value: Any) -> Iterator[str]:
    """Every string of a JSON value, keys included."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield from _texts(key)
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
