"""Tech Against Terrorism's hash list: records in the order of their last change.

Each page ends with a checkpoint, and the next page is asked for as what comes after it: so pages
are neither skipped nor repeated when the list changes meanwhile, and a fetch that was interrupted
goes on with the next page. The token that logging in gives is used until it is refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from threatexchange.exchanges.clients.techagainstterrorism import api
from threatexchange.exchanges.fetch_state import FetchDelta, FetchedSignalMetadata
from threatexchange.exchanges.impl import techagainstterrorism_api as theirs
from threatexchange.signal_type.signal_base import SignalType

from core.errors import ExchangeRefused, ExchangeUnavailable
from core.exchanges.apis.connection import Connection, Remote, Trail
from core.exchanges.apis.signal_form import by_type
from core.exchanges.poison import LONGEST_RAW, Poisoned

VIDEOS = {"mov", "m4v", "mp4", "webm"}
"""Files whose MD5 is one of a video; that of a picture is no signal of ours."""

TatKey = tuple[str, str]


@dataclass(frozen=True)
class _TatPage:
    updates: dict[TatKey, Any]
    more: bool
    checkpoint: str


class Tat(Remote, theirs.TATSignalExchangeAPI):  # type: ignore[misc]
    """See the module."""

    BASE_URL: ClassVar[str] = api.TATHashListAPI.BASE_URL.rstrip("/")

    def __init__(self, username: str, password: str) -> None:
        super().__init__(username, password)
        self._connection = Connection(self.get_name(), self.BASE_URL, {}, (password,), self.TIMEOUT)

    @classmethod
    def for_collab(cls, _collab: Any, credentials: Any = None) -> "Tat":
        """Raises ExchangeRefused without credentials: none are looked for elsewhere."""
        if credentials is None:
            raise ExchangeRefused(f"{cls.get_name()} needs credentials: username, password")
        return cls(credentials.username, credentials.password)

    def fetch_iter(
        self,
        _supported_signal_types: Sequence[type[SignalType]],
        checkpoint: theirs.TATCheckpoint | None,
    ) -> Iterator[FetchDelta]:
        """Pages after the checkpoint; each can be resumed from."""
        after = checkpoint.checkpoint if checkpoint else ""
        trail = Trail(self.get_name())
        if after:
            trail.follow(after)
        while True:
            page = self._page(after)
            if page.more:
                if not page.checkpoint:
                    raise ExchangeUnavailable("tat has more pages and does not say where")
                trail.follow(page.checkpoint)
            after = page.checkpoint or after
            yield FetchDelta(page.updates, theirs.TATCheckpoint(after))
            if not page.more:
                return

    def _page(self, after: str) -> _TatPage:
        if "Authorization" not in self._connection.headers:
            self._log_in()
        try:
            return self._ask_for_page(after)
        except ExchangeRefused:
            self._log_in()  # the token may have expired; if it is something else, we hear it again
            return self._ask_for_page(after)

    def _ask_for_page(self, after: str) -> _TatPage:
        query = {"order": "asc", "after": after}
        return self._connection.get(f"/{api.TATEndpoint.hash_list.value}", lambda _: query, _read)

    def _log_in(self) -> None:
        login = {"username": self.username, "password": self.password, "resend": False}
        path = f"/{api.TATEndpoint.authenticate.value}"
        self._connection.headers.pop("Authorization", None)
        token = self._connection.post(path, lambda body: str(json.loads(body)["token"]), data=login)
        self._connection.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        _collab: Any,
        fetched: Mapping[TatKey, Any],
    ) -> dict[type[SignalType], dict[str, Any]]:
        """Raises ValueError if a signal is malformed."""
        return by_type(signal_types, fetched)


def _read(body: bytes) -> _TatPage:
    page = json.loads(body)
    updates: dict[TatKey, Any] = {}
    for raw in page["results"]:
        keyed = _record(raw)
        if keyed is not None:
            key, record = keyed
            updates.pop(key, None)
            updates[key] = record
    return _TatPage(updates, bool(page.get("next")), str(page.get("checkpoint") or ""))


def _record(raw: Any) -> tuple[TatKey, Any] | None:
    """A record under its key, None if it is gone; no pair for a kind of hash that we can't use."""
    try:
        algorithm, digest = str(raw["algorithm"]).upper(), str(raw["hash_digest"]).strip().lower()
    except (KeyError, TypeError):
        shown = json.dumps(raw)[:LONGEST_RAW]
        known = str(raw.get("id", "")) if isinstance(raw, dict) else ""
        return ("", known or shown), Poisoned("it has no hash or no algorithm", shown)
    if algorithm == "MD5" and str(raw.get("file_type", "")).lower() not in VIDEOS:
        return None
    name = theirs._type_mapping().get(algorithm)
    if name is None:
        return None
    return (name, digest), None if raw.get("deleted") else FetchedSignalMetadata()
