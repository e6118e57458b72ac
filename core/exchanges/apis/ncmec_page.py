"""One page of NCMEC's entries, read entry by entry, so that a malformed one stands alone."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from threatexchange.exchanges.clients.ncmec import hash_api

from core.exchanges.apis.signal_form import normalise_form
from core.exchanges.poison import LONGEST_RAW, Poisoned


@dataclass(frozen=True)
class NcmecPage:
    """What one request led to.

    Attributes:
        updates: entries under `<member>-<id>`, None for what is gone.
        next: the link to the next page, empty if there is none.
        estimate: of how many entries its window has.
    """

    updates: dict[str, Any]
    next: str
    estimate: int


def read_page(body: bytes, types: Mapping[Any, Any]) -> NcmecPage:
    """The page in `body`.

    Args:
        types: signal types by kind of entry and name of fingerprint.

    Raises:
        ValueError: it is none.
    """
    root = _parse_xml(body)
    if root.tag != "queryResult":
        raise ValueError(f"<{root.tag}> instead of <queryResult>")
    updates: dict[str, Any] = {}
    for contents in (*root.iterfind("images"), *root.iterfind("videos")):
        for element in contents:
            key, entry = _entry(element, types)
            updates[key] = entry
    link = (root.findtext("paging/next") or "").strip()
    known = hash_api.GetEntriesNextInfo.from_next(link) if link else None
    estimate = len(updates) + (known.max - known.start + 1 if known else 0)
    return NcmecPage(updates, link, estimate)


def _parse_xml(body: bytes) -> ET.Element:
    """The document without its namespaces, which say nothing here."""
    try:
        root = ET.fromstring(body)  # noqa: S314  # a current expat bounds what entities expand to
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _entry(element: ET.Element, types: Mapping[Any, Any]) -> tuple[str, Any]:
    member = element.find("member")
    number = element.findtext("id")
    if member is None or "id" not in member.attrib or not number:
        return f"?-{number or _raw(element)}", Poisoned("it has no member or no id", _raw(element))
    key = f"{member.attrib['id']}-{number}"
    try:
        entry = hash_api.NCMECEntryUpdate.from_xml(hash_api._XMLWrapper(element))
    except Exception as error:  # their parser asserts, subscripts and casts
        why = f"its form is not known ({type(error).__name__}: {error})"
        return key, Poisoned(why, _raw(element))
    return key, None if entry.deleted else _check_fingerprints(entry, types, element)


def _check_fingerprints(entry: Any, types: Mapping[Any, Any], element: ET.Element) -> Any:
    """The entry with those of its fingerprints that are sound, as far as we use them."""
    fingerprints, reasons = {}, []
    for name, value in entry.fingerprints.items():
        signal_type = types.get((entry.entry_type, name))
        try:
            fingerprints[name] = normalise_form(signal_type, value) if signal_type else value
        except ValueError as error:
            reasons.append(str(error))
    entry = replace(entry, fingerprints=fingerprints)
    if not reasons:
        return entry
    used = any((entry.entry_type, name) in types for name in fingerprints)
    return Poisoned("; ".join(reasons), _raw(element), entry if used else None)


def _raw(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode")[:LONGEST_RAW]
