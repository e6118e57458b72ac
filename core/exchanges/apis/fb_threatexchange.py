"""Meta's ThreatExchange: the updates of one privacy group, in the order of their times.

A page may be empty, a record may be malformed, and a signal may be none: none of these ends a
fetch. The access token travels in a header, also when the server links to its next page with the
token in it. What we make of a match is told as a reaction to each descriptor of others.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from threatexchange.exchanges.clients.fb_threatexchange.api import (
    ThreatExchangeAPI,
    is_valid_app_token,
)
from threatexchange.exchanges.clients.fb_threatexchange.threat_updates import ThreatUpdateJSON
from threatexchange.exchanges.fetch_state import FetchDelta, SignalOpinionCategory
from threatexchange.exchanges.impl import fb_threatexchange_api as theirs
from threatexchange.signal_type.signal_base import SignalType

from core.errors import ExchangeRefused
from core.exchanges.apis.connection import Connection, Remote, Trail
from core.exchanges.apis.signal_form import normalise_form
from core.exchanges.poison import LONGEST_RAW, Poisoned

PAGE_SIZES = (500, 100, 20)
"""A page that fails is asked for as a smaller one: the server times out on what costs it much."""

REACTIONS = {"true_positive": "HELPFUL", "false_positive": "DISAGREE_WITH_TAGS"}
"""The reactions that threatexchange reads back as an opinion for and against."""

CATEGORIES = {
    "true_positive": SignalOpinionCategory.POSITIVE_CLASS,
    "false_positive": SignalOpinionCategory.NEGATIVE_CLASS,
}

PASSING = {1, 2, 4, 17, 32, 341, 613}
"""The Graph API's codes of errors that pass, limits of use among them, in answers of 400."""

ThreatExchangeKey = tuple[str, str]


@dataclass
class ThreatExchangeCheckpoint(theirs.FBThreatExchangeCheckpoint):  # type: ignore[misc]
    """The time of the newest update that was read, and when it was."""

    def is_stale(self) -> bool:
        """Deletions are told for 30 days (Meta's best practices; elsewhere they say 90)."""
        return bool(time.time() - self.last_fetch_time > 28 * 24 * 3600)


@dataclass(frozen=True)
class _ThreatExchangePage:
    updates: dict[ThreatExchangeKey, Any]
    newest: int
    next: str


class FbThreatExchange(Remote, theirs.FBThreatExchangeSignalExchangeAPI):  # type: ignore[misc]
    """See the module."""

    BASE_URL: ClassVar[str] = ThreatExchangeAPI._TE_BASE_URL

    def __init__(self, token: str, collab: Any) -> None:
        if not is_valid_app_token(token):
            raise ExchangeRefused("fb_threatexchange: the api_token must be like 1234567890|secret")
        token = token.replace("%7C", "|")
        app, _, secret = token.partition("|")
        self.collab = collab
        self.app_id = int(app)
        self._connection = Connection(
            self.get_name(),
            self.BASE_URL,
            {"Authorization": f"Bearer {token}"},
            (token, secret),
            self.TIMEOUT,
            _passes,
        )

    @classmethod
    def for_collab(cls, collab: Any, credentials: Any = None) -> "FbThreatExchange":
        """Raises ExchangeRefused without credentials: none are looked for elsewhere."""
        if credentials is None:
            raise ExchangeRefused(f"{cls.get_name()} needs credentials: api_token")
        return cls(credentials.api_token, collab)

    @staticmethod
    def get_checkpoint_cls() -> type[ThreatExchangeCheckpoint]:
        return ThreatExchangeCheckpoint

    def fetch_iter(
        self,
        _supported_signal_types: Sequence[type[SignalType]],
        checkpoint: ThreatExchangeCheckpoint | None,
    ) -> Iterator[FetchDelta]:
        """Pages from the second of the last update that was read; each can be resumed from."""
        start = newest = checkpoint.update_time if checkpoint else 0
        trail, cursor = Trail(self.get_name()), ""
        while True:
            page = self._page(start, cursor)
            newest = max(newest, page.newest)
            yield FetchDelta(page.updates, ThreatExchangeCheckpoint(newest, int(time.time())))
            if not page.next:
                return
            cursor = trail.follow(page.next)

    def _page(self, start: int, cursor: str) -> _ThreatExchangePage:
        def ask(attempt: int) -> dict[str, str | int]:
            parameters: dict[str, str | int] = {
                "fields": ",".join(("id", *_RECORD.te_threat_updates_fields())),
                "start_time": start,
                "limit": PAGE_SIZES[attempt],
            }
            return parameters | ({"after": cursor} if cursor else {})

        def read(body: bytes) -> _ThreatExchangePage:
            page = json.loads(body)
            updates: dict[ThreatExchangeKey, Any] = {}
            newest = 0
            for raw in page["data"]:
                key, record = self._record(raw)
                updates.pop(key, None)  # so that what is said last comes last
                updates[key] = record
                if not isinstance(record, Poisoned):
                    newest = max(newest, int(raw["last_updated"]))
            return _ThreatExchangePage(updates, newest, _next(page.get("paging") or {}))

        return self._connection.get(f"/{self.collab.privacy_group}/threat_updates/", ask, read)

    def _record(self, raw: Any) -> tuple[ThreatExchangeKey, Any]:
        """A record under its key; None if it is gone."""
        try:
            key = (str(raw["type"]), str(raw["indicator"]))
        except (KeyError, TypeError):
            shown = json.dumps(raw)[:LONGEST_RAW]
            known = str(raw.get("id", "")) if isinstance(raw, dict) else ""
            return ("", known or shown), Poisoned("it has no type or no indicator", shown)
        try:
            int(raw["last_updated"])
            gone = {"should_delete": False} | raw
            return key, _RECORD.from_threatexchange_json(self.app_id, ThreatUpdateJSON(gone))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"its form is not known ({type(error).__name__}: {error})"
            return key, Poisoned(why, json.dumps(raw)[:LONGEST_RAW])

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        collab: Any,
        fetched: Mapping[ThreatExchangeKey, Any],
    ) -> dict[type[SignalType], dict[str, Any]]:
        """Raises ValueError if a signal is malformed."""
        signals = super().naive_convert_to_signal_type(signal_types, collab, fetched)
        return {
            signal_type: {
                normalise_form(signal_type, signal): record for signal, record in records.items()
            }
            for signal_type, records in signals.items()
        }

    def report(self, record_key: ThreatExchangeKey, record: Any, opinion: str) -> None:
        """React to each descriptor of others.

        Args:
            opinion: `true_positive` or `false_positive`.

        Raises:
            ExchangeUnavailable: it may succeed later; reacting twice is harmless.
            ExchangeRefused: it cannot be done.
        """
        others = [
            one.descriptor_id
            for one in record.opinions
            if not one.is_mine and one.descriptor_id not in (None, _REACTION)
        ]
        if not others:
            raise ExchangeRefused(f"{record_key}: no descriptor of another member to react to")
        reactions = {"reactions": REACTIONS[opinion]}
        own = (one for one in record.opinions if one.is_mine and one.descriptor_id == _REACTION)
        if any(one.category != CATEGORIES[opinion] for one in own):
            changed = next(name for told, name in REACTIONS.items() if told != opinion)
            reactions["reactions_to_remove"] = changed
        for descriptor in others:
            self._connection.post(f"/{descriptor}", json.loads, data=reactions)


_RECORD = theirs.FBThreatExchangeIndicatorRecord
_REACTION = theirs.FBThreatExchangeOpinion.REACTION_DESCRIPTOR_ID


def _next(paging: Any) -> str:
    """The cursor of the next page, empty if there is none.

    Only the cursor is taken from the link, which holds the token and might lead anywhere.
    """
    link = paging.get("next")
    if not link:
        return ""
    cursor = parse_qs(urlsplit(link).query).get("after", [""])[0]
    cursor = cursor or str((paging.get("cursors") or {}).get("after") or "")
    if not cursor:
        raise ValueError("there is a next page without a cursor")
    return cursor


def _passes(body: bytes) -> bool:
    try:
        error = json.loads(body)["error"]
        return bool(error.get("is_transient")) or error.get("code") in PASSING
    except (ValueError, TypeError, LookupError, AttributeError):
        return False
