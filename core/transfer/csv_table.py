"""CSV with a header: a signal a row. Rows of one content stand together and repeat its id.

A bank has a row of its own, known by its `enabled_ratio`. Labels are parted by commas. The columns
may have any order, and all but `signal` may be missing.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TextIO

from core.errors import BadInput
from core.index.entry import ENABLED
from core.transfer.line import BankLine, ContentLine, Line, Numbered

COLUMNS = (
    *("bank", "enabled_ratio", "allow_list", "thresholds"),
    *("id", "signal_type", "signal", "disable_until_ts"),
    *("original_media_uri", "metadata", "note", "labels"),
)
LONGEST = 1 << 27
"""Of one field, in characters; Python's own limit is less than the frames of a long video."""


def is_header(text: str) -> bool:
    """Whether a first line names columns of ours."""
    names = {name.strip() for name in next(csv.reader([text]), [])}
    return "signal" in names and names <= {*COLUMNS}


def write(lines: Iterable[Line], file: TextIO) -> None:
    """Write the header, and each of `lines`."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerows(_rows(line))


def read(lines: Iterable[str]) -> Iterator[Numbered]:
    """Each bank and content of `lines`, by the number of the last line that it takes."""
    csv.field_size_limit(LONGEST)
    reader = csv.DictReader(lines, restkey="too many", restval="")
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    held: ContentLine | None = None
    number = 0
    while True:
        try:
            line = _line(next(reader))
        except StopIteration:
            break
        except csv.Error as error:
            line = BadInput(str(error))
        if held is not None and isinstance(line, ContentLine) and _same(held, line):
            held = replace(held, signals=(*held.signals, *line.signals))
        else:
            if held is not None:
                yield number, held
            held = line if isinstance(line, ContentLine) else None
            if not isinstance(line, ContentLine):
                yield reader.line_num, line
        number = reader.line_num
    if held is not None:
        yield number, held


def _rows(line: Line) -> Iterator[dict[str, Any]]:
    if isinstance(line, BankLine):
        yield {
            "bank": line.bank,
            "enabled_ratio": line.enabled_ratio,
            "allow_list": "true" if line.allow_list else "",
            "thresholds": line.thresholds and json.dumps(line.thresholds),
        }
        return
    rest = {
        "bank": line.bank,
        "id": line.id,
        "disable_until_ts": line.disable_until_ts,
        "original_media_uri": line.uri,
        "metadata": line.metadata and json.dumps(line.metadata, ensure_ascii=False),
        "note": line.note,
        "labels": ",".join(line.labels or ()),
    }
    for name, value in line.signals or (("", ""),):
        yield {"signal_type": name, "signal": value, **rest}


def _line(row: dict[str, Any]) -> Line | BadInput:
    if row.get("too many"):
        return BadInput("it has more fields than the header")
    bank = row.get("bank") or None
    try:
        if bank is not None and row.get("enabled_ratio"):
            thresholds = json.loads(row["thresholds"]) if row.get("thresholds") else None
            allow_list = row.get("allow_list") == "true"
            return BankLine(bank, float(row["enabled_ratio"]), allow_list, thresholds)
        content_id = int(row["id"]) if row.get("id") else None
        until = int(row["disable_until_ts"]) if row.get("disable_until_ts") else ENABLED
        metadata = json.loads(row["metadata"]) if row.get("metadata") else None
    except (ValueError, RecursionError) as error:
        return BadInput(str(error))
    signal = ((row.get("signal_type") or "", row["signal"]),) if row.get("signal") else ()
    uri, note = row.get("original_media_uri") or None, row.get("note") or None
    labels = row["labels"].split(",") if row.get("labels") else None
    return ContentLine(bank, content_id, signal, until, uri, metadata, note, labels)


def _same(line: ContentLine, other: ContentLine) -> bool:
    return line.id is not None and (line.bank, line.id) == (other.bank, other.id)
