"""The part of Meta's Graph API that ThreatExchange is: a privacy group's updates, reactions."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from local_runtime.demo.fake_exchanges.ledger import Record
from local_runtime.demo.fake_exchanges.server import (
    FakeAnswer,
    FakeExchange,
    Fault,
    Reported,
    Request,
)

TYPES = {"pdq": "HASH_PDQ", "video_md5": "HASH_VIDEO_MD5"}
APP = 1234567890
OTHER_MEMBER = 9876543210
FIRST_DESCRIPTOR = 5_000_000


class FakeThreatExchange(FakeExchange):
    """Attributes:
    privacy_group: the one that it serves.
    token: the access token that it accepts, in a header or in the query.
    """

    NAME = "fb_threatexchange"
    PREFIX = "/v26.0"
    privacy_group = 5
    token = f"{APP}|fake-secret-of-an-app-0123456789"

    def credentials(self) -> dict[str, str]:
        return {"api_token": self.token}

    def config(self) -> dict[str, object]:
        return {"privacy_group": self.privacy_group}

    def refusal(self) -> FakeAnswer:
        message = f"Error validating access token {self.token}: it has expired"
        return _error(400, {"message": message, "type": "OAuthException", "code": 190})

    def asks_for_page(self, request: Request) -> bool:
        return request.path.rstrip("/") == f"{self.PREFIX}/{self.privacy_group}/threat_updates"

    def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.token not in (token, request.query.get("access_token")):
            return self.refusal()
        if request.method == "POST":
            return self._react(request)
        if self.asks_for_page(request):
            return self._updates(request.query, fault)
        return _error(404, {"message": f"Unknown path {request.path}", "code": 2500})

    def _updates(self, query: Mapping[str, str], fault: Fault | None) -> FakeAnswer:
        cursor = query.get("after", "")
        if cursor and not cursor.isdigit():
            return _error(400, {"message": "Invalid cursor", "code": 100})
        position = int(cursor) if cursor else self.ledger.position(int(query.get("start_time", 0)))
        size = min(int(query.get("limit", 25)), self.page_size)
        records, following, more = self.ledger.page(position, size)
        if fault is Fault.EMPTY:
            records, following, more = [], position, True
        if fault is Fault.REPEAT:
            following, more = position, True
        page: dict[str, Any] = {"data": [_update(record) for record in records]}
        if more:
            after = str(following)
            if fault is Fault.EMPTY:
                after = f"0{cursor}"  # another cursor for the same place
            cursors = {"before": cursor, "after": after}
            again = dict(query) | {"access_token": self.token, "after": after}
            link = f"{self.url}/{self.privacy_group}/threat_updates?{urlencode(again)}"
            page["paging"] = {"cursors": cursors, "next": link}
        return FakeAnswer(200, json.dumps(page).encode())

    def _react(self, request: Request) -> FakeAnswer:
        descriptor = re.fullmatch(rf"{self.PREFIX}/(\d+)/?", request.path)
        told = request.form()
        if descriptor is None or not told:
            return _error(400, {"message": "Unsupported post request", "code": 100})
        for name, prefix in (("reactions", ""), ("reactions_to_remove", "not ")):
            if name in told:
                self.reported.append(Reported(descriptor[1], prefix + told[name]))
        return FakeAnswer(200, b'{"success": true}')


def _update(record: Record) -> dict[str, Any]:
    update: dict[str, Any] = {
        "id": str(record.number),
        "indicator": record.signal,
        "type": TYPES[record.signal_type],
        "last_updated": record.stamp,
        "should_delete": record.gone,
    }
    if record.broken:
        del update["type"]
    if not record.gone:
        descriptor = {
            "id": str(FIRST_DESCRIPTOR + record.number),
            "owner": {"id": str(OTHER_MEMBER)},
            "status": "MALICIOUS",
            "tags": {"data": [{"id": "1", "text": "example"}]},
        }
        update["descriptors"] = {"data": [descriptor]}
    return update


def _error(status: int, error: dict[str, Any]) -> FakeAnswer:
    return FakeAnswer(status, json.dumps({"error": error}).encode())
