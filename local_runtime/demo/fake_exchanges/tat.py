"""Tech Against Terrorism's API: a token for a password, and a list of hashes for the token."""

import itertools
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from local_runtime.demo.fake_exchanges.ledger import Ledger, Record
from local_runtime.demo.fake_exchanges.server import FakeAnswer, FakeExchange, Fault, Request

TYPES = {"pdq": ("PDQ", "jpg"), "video_md5": ("MD5", "mp4")}
LIST = "/api/hash-list/v2/all"


class FakeTat(FakeExchange):
    """Attributes:
    username, password: what it gives a token for.
    """

    NAME = "tat"
    username = "fake-user"
    password = "fake-password-of-tat"  # noqa: S105  # of nothing

    def __init__(self, ledger: Ledger | None = None, page_size: int = 1000) -> None:
        super().__init__(ledger, page_size)
        self._numbers = itertools.count()
        self._token = ""

    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}

    def config(self) -> dict[str, object]:
        return {}

    def refusal(self) -> FakeAnswer:
        self._token = ""
        return FakeAnswer(401, b'{"detail": "Signature has expired."}')

    def asks_for_page(self, request: Request) -> bool:
        return request.path == LIST

    def answer(self, request: Request, fault: Fault | None) -> FakeAnswer:
        if request.method == "POST" and request.path == "/token-auth/tcap/":
            return self._log_in(request.form())
        if not self._token or request.headers.get("authorization") != f"Bearer {self._token}":
            return self.refusal()
        if self.asks_for_page(request):
            return self._page(request.query, fault)
        return FakeAnswer(404, b'{"detail": "Not found."}')

    def _log_in(self, form: Mapping[str, str]) -> FakeAnswer:
        if (form.get("username"), form.get("password")) != (self.username, self.password):
            refusal = f"Unable to log in {form.get('username')} with {form.get('password')}"
            return FakeAnswer(400, json.dumps({"detail": refusal}).encode())
        self._token = f"token-{next(self._numbers)}"
        login = {"user": {"username": self.username}, "token": self._token}
        return FakeAnswer(200, json.dumps(login).encode())

    def _page(self, query: Mapping[str, str], fault: Fault | None) -> FakeAnswer:
        after = query.get("after", "")
        offset = int(query.get("offset", 0))
        position = int(after.rpartition(",")[2] or 0) + offset
        records, following, more = self.ledger.page(position, self.page_size)
        if fault is Fault.EMPTY:
            records = []
        page: dict[str, Any] = {
            "count": len(records),
            "next": None,
            "previous": None,
            "checkpoint": f"{records[-1].stamp}.0,{following}" if records else after,
            "results": [_entry(record) for record in records],
        }
        if fault is Fault.REPEAT:
            page["checkpoint"] = after
        if more or fault in (Fault.EMPTY, Fault.REPEAT):
            again = dict(query) | {"limit": self.page_size, "offset": offset + self.page_size}
            page["next"] = f"{self.url}{LIST}?{urlencode(again)}"
        return FakeAnswer(200, json.dumps(page).encode())


def _entry(record: Record) -> dict[str, Any]:
    algorithm, file_type = TYPES[record.signal_type]
    entry: dict[str, Any] = {
        "hash_digest": record.signal,
        "algorithm": algorithm,
        "ideology": "far-right",
        "file_type": file_type,
        "deleted": record.gone,
        "updated_on": float(record.stamp),
        "created_on": "2021-08-01T00:00:00Z",
        "id": record.number,
    }
    if record.broken:
        del entry["hash_digest"]
    return entry
