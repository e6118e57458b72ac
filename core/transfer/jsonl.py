"""JSON lines: a bank or a content each.

    {"bank": "B", "enabled_ratio": 1.0, "thresholds": {"pdq": 20}}
    {"bank": "B", "id": 7, "signals": {"pdq": "…"}, "note": "…", "metadata": {…}}

A type with several signals has a list of them. What a content does not have is left out.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, TextIO

from core.errors import BadInput
from core.index.entry import ENABLED
from core.transfer.line import BankLine, ContentLine, Line, Numbered

FIELDS = ("disable_until_ts", "original_media_uri", "metadata", "note", "labels")


def write(lines: Iterable[Line], file: TextIO) -> None:
    """Write each of `lines`."""
    for line in lines:
        file.write(json.dumps(_object(line), ensure_ascii=False, separators=(",", ":")) + "\n")


def read(lines: Iterable[str]) -> Iterator[Numbered]:
    """Each of `lines` that is not empty."""
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                yield number, _line(text)
            except BadInput as error:
                yield number, error


def _object(line: Line) -> dict[str, Any]:
    if isinstance(line, BankLine):
        rest = {"allow_list": line.allow_list, "thresholds": line.thresholds}
        kept = {name: value for name, value in rest.items() if value}
        return {"bank": line.bank, "enabled_ratio": line.enabled_ratio, **kept}
    signals: dict[str, str | list[str]] = {}
    for name, group in groupby(line.signals, key=itemgetter(0)):
        values = [value for _, value in group]
        signals[name] = values if len(values) > 1 else values[0]
    fields = (line.disable_until_ts, line.uri, line.metadata, line.note, line.labels)
    told = {
        name: value
        for name, value in zip(FIELDS, fields, strict=True)
        if value is not None and (name, value) != ("disable_until_ts", ENABLED)
    }
    return {"bank": line.bank, "id": line.id, "signals": signals, **told}


def _line(text: str) -> Line:
    fields = _parse_line(text)
    bank, content_id = fields.get("bank"), fields.get("id")
    if not (bank is None or isinstance(bank, str)):
        raise BadInput("bank should be a string")
    if bank is not None and "signals" not in fields:
        ratio = fields.get("enabled_ratio", 1.0)
        if isinstance(ratio, bool) or not isinstance(ratio, int | float):
            raise BadInput("enabled_ratio should be a number")
        allow_list = fields.get("allow_list", False)
        if not isinstance(allow_list, bool):
            raise BadInput("allow_list should be true or false")
        return BankLine(bank, float(ratio), allow_list, fields.get("thresholds"))
    if isinstance(content_id, bool) or not (content_id is None or isinstance(content_id, int)):
        raise BadInput("id should be an integer")
    until, *others = (fields.get(name) for name in FIELDS)
    signals = _pairs(fields.get("signals"))
    return ContentLine(bank, content_id, signals, ENABLED if until is None else until, *others)


def _parse_line(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is no JSON: {getattr(error, 'msg', error)}") from error
    if not isinstance(value, dict):
        raise BadInput("it is no JSON object")
    return value


def _pairs(signals: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(signals, dict):
        pairs = tuple(
            (name, value)
            for name, values in signals.items()
            for value in (values if isinstance(values, list) else [values])
        )
        if all(isinstance(value, str) for _, value in pairs):
            return pairs
    raise BadInput("signals should be an object of strings, or of lists of strings")
