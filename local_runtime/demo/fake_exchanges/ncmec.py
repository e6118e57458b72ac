"""NCMEC's hash sharing API, version 2: entries as XML, in no order within what was asked for."""

import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from local_runtime.demo.fake_exchanges.ledger import Ledger, Record
from local_runtime.demo.fake_exchanges.server import (
    FakeAnswer,
    FakeExchange,
    Fault,
    Reported,
    Request,
)

XMLNS = "https://hashsharing.ncmec.org/hashsharing/v2"
KINDS = {"pdq": ("image", "pdq"), "video_md5": ("video", "md5")}
MEMBER = 42
REASON = "01234567-abcd-0123-4567-012345678900"


class FakeNcmec(FakeExchange):
    """Attributes:
    user, password: what it accepts.
    reasons: the reasons against a fingerprint that it offers, by identifier.
    """

    NAME = "ncmec"
    user = "fake-user"
    password = "fake-password-of-ncmec"  # noqa: S105  # of nothing

    def __init__(self, ledger: Ledger | None = None, page_size: int = 1000) -> None:
        super().__init__(ledger, page_size)
        self.reasons = {REASON: "Does not depict what it is listed for"}
        self._windows: dict[tuple[int, int], Sequence[Record]] = {}

    def forget(self) -> None:
        """Accept no link to a next page that was given until now."""
        self._windows.clear()

    def credentials(self) -> dict[str, str]:
        return {"user": self.user, "password": self.password}

    def config(self) -> dict[str, object]:
        return {"environment": "https://exttest.cybertip.org/hashsharing"}

    def refusal(self) -> FakeAnswer:
        return FakeAnswer(401, b"<error>Unauthorized</error>", "application/xml")

    def asks_for_page(self, request: Request) -> bool:
        return request.method == "GET" and request.path == "/v2/entries"

    def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
        basic = b64encode(f"{self.user}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return self.refusal()
        if self.asks_for_page(request):
            return self._entries(request.query, fault)
        if re.fullmatch(r"/v2/feedback/\w+/reasons", request.path):
            return self._reasons()
        if request.method == "PUT":
            return self._vote(request)
        return FakeAnswer(404, b"<error>Not found</error>", "application/xml")

    def _entries(self, query: Mapping[str, str], fault: Fault | None) -> FakeAnswer:
        try:
            start, end = _seconds(query["from"]), _seconds(query["to"])
        except (KeyError, ValueError):
            return FakeAnswer(
                400, b"<error>from and to are needed, in UTC</error>", "application/xml"
            )
        first = int(query.get("start", 1))
        if first == 1:
            # What is changed from now on is of a later window: those asked for are told.
            self.ledger.not_before(end)
            changed = self.ledger.between(start, end)
            self._windows[start, end] = sorted(
                changed, key=lambda record: record.number * 7919 % 104729
            )
        if (start, end) not in self._windows:
            return FakeAnswer(400, b"<error>Unknown page</error>", "application/xml")
        window = self._windows[start, end]
        records = [
            self.ledger.current(record) for record in window[first - 1 : first - 1 + self.page_size]
        ]
        following = first + len(records)
        again: dict[str, object] = dict(query) | {"size": self.page_size, "max": len(window)}
        if fault is Fault.EMPTY:
            records, following, again["empty"] = [], first, len(self.pages)
        if fault is Fault.REPEAT:
            following = first
        root = ET.Element("queryResult", xmlns=XMLNS)
        for kind, plural in (("image", "images"), ("video", "videos")):
            entries = [record for record in records if KINDS[record.signal_type][0] == kind]
            if entries:
                latest = _text(max(record.stamp for record in entries))
                group = ET.SubElement(root, plural, count=str(len(entries)), maxTimestamp=latest)
                for record in entries:
                    _add_entry(group, record)
        if following <= len(window):
            paging = ET.SubElement(root, "paging")
            ET.SubElement(
                paging, "next"
            ).text = f"/v2/entries?{urlencode(again | {'start': following})}"
        return _xml(root)

    def _reasons(self) -> FakeAnswer:
        root = ET.Element("feedbackReasons", xmlns=XMLNS)
        offered = ET.SubElement(root, "availableFeedbackReasons")
        for guid, name in self.reasons.items():
            ET.SubElement(offered, "reason", guid=guid, name=name)
        return _xml(root)

    def _vote(self, request: Request) -> FakeAnswer:
        about = re.fullmatch(r"/v2/entries/(\d+/\w+/[A-Z0-9_]+)/feedback", request.path)
        if about is None:
            return FakeAnswer(404, b"<error>Not found</error>", "application/xml")
        root = ET.fromstring(request.body)  # noqa: S314  # from this machine
        if root.find("{*}affirmative") is not None:
            self.reported.append(Reported(about[1], "affirmative"))
        else:
            guid = root.findtext("{*}negative/{*}reasonIds/{*}guid", "")
            if guid not in self.reasons:
                return FakeAnswer(400, b"<error>Unknown reason</error>", "application/xml")
            self.reported.append(Reported(about[1], f"negative {guid}"))
        return FakeAnswer(200, b"")


def _add_entry(group: ET.Element, record: Record) -> None:
    kind, fingerprint = KINDS[record.signal_type]
    tag = f"deleted{kind.title()}" if record.gone else kind
    entry = ET.SubElement(group, tag)
    if not record.broken:
        ET.SubElement(entry, "member", id=str(MEMBER)).text = "Example Member"
    ET.SubElement(entry, "timestamp").text = _text(record.stamp)
    ET.SubElement(entry, "id").text = f"entry{record.number}"
    if not record.gone:
        ET.SubElement(entry, "classification").text = "A1"
        fingerprints = ET.SubElement(entry, "fingerprints")
        ET.SubElement(fingerprints, fingerprint).text = record.signal


def _xml(root: ET.Element) -> FakeAnswer:
    return FakeAnswer(200, ET.tostring(root, xml_declaration=True), "application/xml")


def _text(stamp: int) -> str:
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    if not text.endswith("Z"):
        raise ValueError(text)
    return int(datetime.fromisoformat(text).timestamp())
