"""NCMEC's hash sharing, version 2: XML, asked for one window of time after the other.

Entries within a window come in no order, so a fetch that ends in the middle of one goes on with
the link to its next page, which NCMEC keeps for some hours; once that is gone the window is read
anew. Windows grow from a day while they hold little and shrink when they hold too much, whatever
a fetch was like that failed. All times are UTC, and each fetch begins a minute before the end of
the last, so that one begun within the same second asks as well, and what shows up late is seen.
"""

import time
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from threatexchange.exchanges.clients.ncmec import hash_api
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl import ncmec_api as theirs
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI
from threatexchange.signal_type.signal_base import SignalType

from core.errors import ExchangeRefused
from core.exchanges.apis.connection import Connection, Remote, Trail
from core.exchanges.apis.ncmec_page import NcmecPage, read_page
from core.exchanges.apis.signal_form import normalise_form

DAY = 24 * 3600
LAG = 5
"""Seconds before now at which a window ends: what is being written now comes with the next."""

OVERLAP = 60
MOST_ENTRIES = 400_000
SHORTEST = 3600
"""A window that seems to hold more entries is asked for in parts, as NCMEC answers such badly;
but it only seems so, and within an hour there cannot be that many."""

FEW_ENTRIES = 2_000
XMLNS = "https://hashsharing.ncmec.org/hashsharing/v2"

FINGERPRINTS = {"md5": "MD5", "pdq": "PDQ", "pdna": "PDNA"}
"""The fingerprints that become signals, and what they are called in feedback."""


class Ncmec(Remote, theirs.NCMECSignalExchangeAPI):  # type: ignore[misc]
    """See the module.

    Attributes:
        now: the clock, in Unix seconds.
    """

    def __init__(self, collab: Any, username: str, password: str) -> None:
        super().__init__(collab, username, password)
        self.now: Callable[[], float] = time.time
        basic = b64encode(f"{username}:{password}".encode()).decode()
        self._connection = Connection(
            self.get_name(),
            self.BASE_URL or collab.environment.value,
            {"Authorization": f"Basic {basic}"},
            (password, basic),
            self.TIMEOUT,
        )

    # Theirs turns entries into None where they are gone, which ours are already.
    fetch_value_merge = SignalExchangeAPI.__dict__["fetch_value_merge"]

    @classmethod
    def for_collab(cls, collab: Any, credentials: Any = None) -> "Ncmec":
        """Raises ExchangeRefused without credentials: none are looked for elsewhere."""
        if credentials is None:
            raise ExchangeRefused(f"{cls.get_name()} needs credentials: user, password")
        return cls(collab, credentials.user, credentials.password)

    @staticmethod
    def get_update_cls() -> Any:
        """What is fetched, and kept as the record: an entry, not what becomes of its signals."""
        return hash_api.NCMECEntryUpdate

    def fetch_iter(
        self,
        supported_signal_types: Sequence[type[SignalType]],
        checkpoint: theirs.NCMECCheckpoint | None,
    ) -> Iterator[FetchDelta]:
        """The pages of one window after the other; each can be resumed from."""
        types = theirs._get_conversion(supported_signal_types)
        start = checkpoint.get_entries_max_ts if checkpoint else 0
        if checkpoint and checkpoint.paging_info:  # is false once it is too old
            end = checkpoint.paging_info.paging_end_ts
            try:
                resumed = self._follow(types, checkpoint.paging_info.paging_url)
                yield from self._deltas(types, start, end, resumed)
                start = end
            except ExchangeRefused:
                pass  # NCMEC has forgotten that link; if it means us, it says so again
        start = max(0, start - OVERLAP)
        end = max(start, int(self.now()) - LAG)
        span = DAY
        while True:
            until = min(end, start + span)
            page = self._window(types, start, until)
            if page.estimate > MOST_ENTRIES and until - start > SHORTEST:
                span = max(SHORTEST, (until - start) // 4)
                continue
            entries = 0
            for delta in self._deltas(types, start, until, page):
                entries += len(delta.updates)
                yield delta
            if until == end:
                return
            start = until
            span *= 2 if entries < FEW_ENTRIES else 1

    def _deltas(self, types: Any, start: int, end: int, page: NcmecPage) -> Iterator[FetchDelta]:
        trail = Trail(self.get_name())
        while page.next:
            link = trail.follow(page.next)
            paging = theirs._NCMECPagingInfo(link, end, int(self.now()))
            yield FetchDelta(page.updates, theirs.NCMECCheckpoint(start, paging))
            page = self._follow(types, link)
        yield FetchDelta(page.updates, theirs.NCMECCheckpoint(end))

    def _window(self, types: Any, start: int, end: int) -> NcmecPage:
        window = {"from": _utc(start), "to": _utc(end)}
        return self._page(types, "/v2/entries", window)

    def _follow(self, types: Any, link: str) -> NcmecPage:
        """The page behind a link, of which only the query is used: it must not lead elsewhere."""
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        return self._page(types, "/v2/entries", parameters)

    def _page(self, types: Any, path: str, query: Mapping[str, str]) -> NcmecPage:
        return self._connection.get(path, lambda _: query, lambda body: read_page(body, types))

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        collab: Any,
        fetched: Mapping[str, Any],
    ) -> dict[type[SignalType], dict[str, Any]]:
        """By type and sound signal: who shares it and as what.

        Raises:
            ValueError: a signal is malformed.
        """
        types = theirs._get_conversion(signal_types)
        signals: dict[type[SignalType], dict[str, Any]] = {}
        for entry in fetched.values():
            if entry is None or entry.deleted:
                continue
            if collab.only_esp_ids and entry.member_id not in collab.only_esp_ids:
                continue
            for name, value in entry.fingerprints.items():
                signal_type = types.get((entry.entry_type, name))
                if signal_type is None:
                    continue
                metadata = signals.setdefault(signal_type, {}).setdefault(
                    normalise_form(signal_type, value), theirs.NCMECSignalMetadata({})
                )
                tags = metadata.member_entries.setdefault(entry.member_id, set())
                if entry.classification:
                    tags.add(entry.classification)
        return signals

    def report(self, record_key: str, record: Any, opinion: str) -> None:
        """Vote for or against each fingerprint of an entry that becomes a signal.

        Args:
            opinion: `true_positive` or `false_positive`.

        Raises:
            ExchangeUnavailable: it may succeed later; the same vote twice counts once.
            ExchangeRefused: it cannot be done.
        """
        kinds = [kind for name, kind in FINGERPRINTS.items() if name in record.fingerprints]
        if not kinds:
            raise ExchangeRefused(f"{record_key}: no fingerprint to vote on")
        for kind in kinds:
            root = ET.Element("feedbackSubmission", xmlns=XMLNS)
            if opinion == "true_positive":
                ET.SubElement(root, "affirmative")
            else:
                reasons = ET.SubElement(ET.SubElement(root, "negative"), "reasonIds")
                ET.SubElement(reasons, "guid").text = self._reason(kind)
            path = f"/v2/entries/{record.member_id}/{record.id}/{kind}/feedback"
            self._connection.put(path, ET.tostring(root), "application/xml; charset=utf-8")

    def _reason(self, kind: str) -> str:
        """The identifier of the one reason that NCMEC offers against this kind of fingerprint."""

        def read(body: bytes) -> dict[str, str]:
            reasons = ET.fromstring(body).iterfind(".//{*}reason")  # noqa: S314  # expat is bounded
            return {one.attrib["guid"]: one.attrib["name"] for one in reasons}

        reasons = self._connection.get(f"/v2/feedback/{kind}/reasons", lambda _: {}, read)
        if len(reasons) != 1:
            names = ", ".join(reasons.values()) or "none"
            raise ExchangeRefused(f"ncmec has several reasons against a {kind}, or none: {names}")
        return next(iter(reasons))


def _utc(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime(hash_api._DATE_FORMAT_STR)
