"""What an exchange API asks for, as whoever draws a form needs to know it."""

import dataclasses
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from core.exchanges.dataclass_json import as_json
from core.exchanges.registry import EVERYWHERE, Api, takes_credentials

_NAMES: dict[Any, str] = {str: "string", int: "number", float: "number", bool: "boolean"}


def schema(api: Api) -> dict[str, Any]:
    """`config_schema`, and `credentials_schema` or None, each with its `fields`."""
    credentials = (
        {"fields": list(_fields(api.get_credential_cls()))} if takes_credentials(api) else None
    )
    return {
        "config_schema": {"fields": list(_fields(api.get_config_cls()))},
        "credentials_schema": credentials,
    }


def _fields(kind: type[Any]) -> Iterator[dict[str, Any]]:
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if field.name in EVERYWHERE or not field.init:
            continue
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        required = default is dataclasses.MISSING
        named, choices = _type(hints[field.name])
        yield {
            "name": field.name,
            "type": named,
            "required": required,
            "default": None if required else as_json(default),
            "help": field.metadata.get("help"),
            "choices": choices,
        }


def _type(hint: Any) -> tuple[str, list[Any] | None]:
    """Its name in a schema, and the values it may have if those are few."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if origin in (Union, types.UnionType) and len(inner) == 1:
        return _type(inner[0])
    if origin in (set, frozenset, list, tuple):
        named, choices = _type(inner[0])
        return f"{'set' if origin in (set, frozenset) else 'list'}_of_{named}", choices
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "enum", [as_json(member) for member in hint]
    return _NAMES.get(hint, "string"), None
