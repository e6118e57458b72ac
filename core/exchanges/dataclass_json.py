"""threatexchange's dataclasses (configurations, checkpoints, records, credentials) as JSON.

As its own `dataclass_json` writes them, but also dictionaries whose keys are numbers, and without
an assertion on the way out: nobody else's code decides here what may fail.
"""

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import dacite

T = TypeVar("T")

_CONFIG = dacite.Config(cast=[Enum, set, frozenset, tuple], type_hooks={int: int})


def as_json(value: Any) -> Any:  # noqa: PLR0911  # a case a line
    """`value` as what JSON can say: dataclasses as objects, enums as values, sets sorted."""
    match value:
        case Enum():
            return as_json(value.value)
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(as_json(key)): as_json(inner) for key, inner in value.items()}
        case set() | frozenset():
            return sorted((as_json(inner) for inner in value), key=json.dumps)
        case list() | tuple():
            return [as_json(inner) for inner in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: as_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return str(value)


def from_json(value: Mapping[str, Any], kind: type[T]) -> T:
    """The dataclass `kind` that `as_json` wrote. Raises what dacite and `kind` raise."""
    return dacite.from_dict(kind, value, _CONFIG)
