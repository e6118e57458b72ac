"""StopNCII.org: hashes of intimate pictures, sent in by the people in them.

A hash goes when its status says so: what people withdraw must stop matching. Only what is needed
of a page and of a record is asked of them, so that neither a new kind of feedback nor a missing
count holds up a hash. Within a set of pages a fetch goes on with the token of the next one, and
with the start of the set once that is too old or refused.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from threatexchange.exchanges.clients.stopncii import api
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl import stop_ncii_api as theirs
from threatexchange.signal_type.signal_base import SignalType

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.exchanges.apis.connection import Connection, Remote, Trail
from core.exchanges.apis.signal_form import by_type
from core.exchanges.poison import LONGEST_RAW, Poisoned

PAGE_SIZES = (800, 100, 20)
"""A page that fails is asked for as a smaller one."""

TOKEN_SECONDS = 3600
GONE = {"Withdrawn", "Deleted"}
FEEDBACK = {"true_positive": "Blocked", "false_positive": "NotBlocked"}

StopNciiKey = tuple[str, str]


@dataclass
class StopNciiCheckpoint(theirs.StopNCIICheckpoint):  # type: ignore[misc]
    """Where a set of pages begins, and which of them comes next, if one does."""

    page_token: str = ""

    def token(self) -> str:
        """Of the next page, empty if there is none or it is too old."""
        fresh = time.time() - self.last_fetch_time < TOKEN_SECONDS
        return self.page_token if fresh else ""


@dataclass(frozen=True)
class _StopNciiPage:
    updates: dict[StopNciiKey, Any]
    newest: int
    more: bool
    token: str
    next_set: int


class StopNcii(Remote, theirs.StopNCIISignalExchangeAPI):  # type: ignore[misc]
    """See the module."""

    BASE_URL: ClassVar[str] = api.StopNCIIAPI.BASE_URL

    def __init__(self, collab: Any, credentials: Any) -> None:
        self.collab = collab
        subscription, function = credentials.subscription_key, credentials.fetch_function_key
        self._connection = Connection(
            self.get_name(),
            (credentials.base_url_override or self.BASE_URL).rstrip("/"),
            {"x-functions-key": function, "Ocp-Apim-Subscription-Key": subscription},
            (function, subscription),
            self.TIMEOUT,
        )

    @classmethod
    def get_name(cls) -> str:
        return "stop_ncii"

    @classmethod
    def for_collab(cls, collab: Any, credentials: Any = None) -> "StopNcii":
        """Raises ExchangeRefused without credentials: none are looked for elsewhere."""
        if credentials is None:
            needed = "fetch_function_key, subscription_key"
            raise ExchangeRefused(f"{cls.get_name()} needs credentials: {needed}")
        return cls(collab, credentials)

    @staticmethod
    def get_checkpoint_cls() -> type[StopNciiCheckpoint]:
        return StopNciiCheckpoint

    def fetch_iter(
        self,
        _supported_signal_types: Sequence[type[SignalType]],
        checkpoint: StopNciiCheckpoint | None,
    ) -> Iterator[FetchDelta]:
        """The pages since the last complete set; each can be resumed from."""
        start = checkpoint.update_time if checkpoint else api.StopNCIIAPI.DEFAULT_START_TIME
        token = checkpoint.token() if checkpoint else ""
        trail = Trail(self.get_name())
        resumed = bool(token)
        while True:
            try:
                page = self._page(start, token)
            except ExchangeRefused:
                if not resumed:
                    raise
                token = ""  # it is not accepted any more; if it means us, that is said again
                page = self._page(start, token)
            resumed = False
            if page.more and not page.token:
                if page.newest <= start:
                    raise ExchangeUnavailable("stop_ncii has more pages and does not say where")
                start = page.newest
            elif not page.more:
                start = max(start, page.next_set)
            token = page.token if page.more else ""
            yield FetchDelta(page.updates, StopNciiCheckpoint(start, int(time.time()), token))
            if not page.more:
                return
            trail.follow(f"{start} {token}")

    def _page(self, start: int, token: str) -> _StopNciiPage:
        def ask(attempt: int) -> dict[str, str | int]:
            parameters = {"startTimestamp": start, "pageSize": PAGE_SIZES[attempt]}
            return parameters | ({"nextPageToken": token} if token else {})

        return self._connection.get("/FetchHashes", ask, _read)

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        _collab: Any,
        fetched: Mapping[StopNciiKey, Any],
    ) -> dict[type[SignalType], dict[str, Any]]:
        """Raises ValueError if a signal is malformed."""
        return by_type(signal_types, fetched)

    def report(self, record_key: StopNciiKey, _record: Any, opinion: str) -> None:
        """Say whether we blocked what matched this hash.

        Args:
            opinion: `true_positive` or `false_positive`.

        Raises:
            ExchangeUnavailable: it may succeed later; the same feedback twice counts once.
            ExchangeRefused: the function key does not hold for `SubmitFeedback`.
        """
        told = {"hashValue": record_key[1], "feedbackValue": FEEDBACK[opinion], "tags": []}
        body = {"count": 1, "hashFeedbacks": [told]}
        self._connection.post("/SubmitFeedback", bytes, json=body)


def _read(body: bytes) -> _StopNciiPage:
    page = json.loads(body)
    updates: dict[StopNciiKey, Any] = {}
    newest = 0
    for raw in page.get("hashRecords") or []:
        keyed = _record(raw)
        if keyed is None:
            continue
        key, record = keyed
        updates.pop(key, None)
        updates[key] = record
        newest = max(newest, _int(raw.get("lastModtimestamp")) if isinstance(raw, dict) else 0)
    token = str(page.get("nextPageToken") or "")
    more = bool(page.get("hasMoreRecords", token))
    return _StopNciiPage(updates, newest, more, token, _int(page.get("nextSetTimestamp")))


def _record(raw: Any) -> tuple[StopNciiKey, Any] | None:
    """A record under its key, None if it is gone; no pair for a kind of hash that we can't use."""
    if not isinstance(raw, dict) or not (raw.get("hashValue") and raw.get("signalType")):
        shown = json.dumps(raw)[:LONGEST_RAW]
        return ("", shown), Poisoned("it has no hash or no type", shown)
    try:
        name = theirs._type_mapping().get(api.StopNCIISignalType(raw["signalType"]))
    except ValueError:
        return None
    if name is None:
        return None
    signal = str(raw["hashValue"]).strip()
    # a withdrawal may be written in other letters than what it withdraws
    key = (name, signal.lower() if name in ("pdq", "video_md5") else signal)
    if raw.get("hashStatus") in GONE:
        return key, None
    return key, theirs.StopNCIISignalMetadata(_feedbacks(raw.get("CSPFeedbacks")))


def _feedbacks(raw: Any) -> list[api.StopNCIICSPFeedback]:
    """Those of a known form: an opinion we can't read is no reason to lose the hash."""
    entries = []
    for one in raw if isinstance(raw, list) else []:
        try:
            value = api.StopNCIICSPFeedbackValue(one["feedbackValue"])
            tags = {str(tag) for tag in one.get("tags") or ()}
            entries.append(api.StopNCIICSPFeedback(value, tags, str(one.get("source") or "")))
        except (ValueError, TypeError, LookupError, AttributeError):
            continue
    return entries


def _int(raw: Any) -> int:
    return int(raw) if isinstance(raw, int | float) else 0
