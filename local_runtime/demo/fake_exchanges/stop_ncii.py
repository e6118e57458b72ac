"""StopNCII.org's API: hashes in sets of pages, and feedback on them."""

import json
from collections.abc import Mapping
from typing import Any

from local_runtime.demo.fake_exchanges.ledger import Record
from local_runtime.demo.fake_exchanges.server import (
    FakeAnswer,
    FakeExchange,
    Fault,
    Reported,
    Request,
)

TYPES = {"pdq": "ImagePDQ", "video_md5": "VideoMD5"}


class FakeStopNcii(FakeExchange):
    """Attributes:
    function_key, subscription_key: what it accepts.
    withdrawn: the status of a hash that was removed, `Withdrawn` or `Deleted`.
    """

    NAME = "stop_ncii"
    PREFIX = "/v1"
    function_key = "fake-function-key-0123456789"
    subscription_key = "fake-subscription-key-0123456789"
    withdrawn = "Withdrawn"

    def credentials(self) -> dict[str, str]:
        return {"fetch_function_key": self.function_key, "subscription_key": self.subscription_key}

    def config(self) -> dict[str, object]:
        return {}

    def refusal(self) -> FakeAnswer:
        body = {"statusCode": 401, "message": f"Access denied: key {self.subscription_key} expired"}
        return FakeAnswer(401, json.dumps(body).encode())

    def asks_for_page(self, request: Request) -> bool:
        return request.path == f"{self.PREFIX}/FetchHashes"

    def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
        keys = (
            request.headers.get("x-functions-key"),
            request.headers.get("ocp-apim-subscription-key"),
        )
        if keys != (self.function_key, self.subscription_key):
            return self.refusal()
        if self.asks_for_page(request):
            return self._hashes(request.query, fault)
        if request.path == f"{self.PREFIX}/SubmitFeedback":
            for feedback in json.loads(request.body)["hashFeedbacks"]:
                self.reported.append(Reported(feedback["hashValue"], feedback["feedbackValue"]))
            return FakeAnswer(200, b"{}")
        return FakeAnswer(404, b"{}")

    def _hashes(self, query: Mapping[str, str], fault: Fault | None) -> FakeAnswer:
        start = int(query.get("startTimestamp", 0))
        token = query.get("nextPageToken", "")
        if token and not token.removeprefix("page-").isdigit():
            return FakeAnswer(400, b'{"message": "Invalid nextPageToken"}')
        position = int(token.removeprefix("page-")) if token else self.ledger.position(start)
        size = min(int(query.get("pageSize", 100)), self.page_size)
        records, following, more = self.ledger.page(position, size)
        if fault is Fault.EMPTY:
            records, following, more = [], position, True
        if fault is Fault.REPEAT:
            following, more = position, True
        token = f"page-0{position}" if fault is Fault.EMPTY else f"page-{following}"
        page: dict[str, Any] = {
            "count": len(records),
            "nextSetTimestamp": records[-1].stamp if records else start,
            "nextPageToken": token if more else None,
            "hasMoreRecords": more,
            "hashRecords": [self._record(record) for record in records],
        }
        return FakeAnswer(200, json.dumps(page).encode())

    def _record(self, record: Record) -> dict[str, Any]:
        status = self.withdrawn if record.gone else "Active"
        entry: dict[str, Any] = {
            "lastModtimestamp": record.stamp,
            "signalType": TYPES[record.signal_type],
            "hashValue": record.signal,
            "hashStatus": status,
            "caseNumbers": {f"case-{record.number}": status},
            "CSPFeedbacks": [],
        }
        if record.broken:
            del entry["hashValue"]
        return entry
