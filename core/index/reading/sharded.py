"""An index held in shares by shards elsewhere: all are asked at once, and what they find is merged.

Nothing is answered unless every share is in it. A shard that is lost, silent, behind, or not the
one it should be means that nobody knows: `Unavailable`, never fewer matches. Nothing is kept here
but connections, so any number of routers may stand before the same shards.
"""

import heapq
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as TookTooLong

from core.errors import HmaError, IndexNotReady, IndexStale, Misconfigured, Unavailable
from core.index.reading.lookup_index import ContentMatch, IndexState, SearchResult
from core.index.reading.shard_reply import ShardReply
from core.settings import Settings
from core.settings.shard import Shard

AT_ONCE = 32
"""Questions that one shard is asked at once; more than that queue here."""

LEEWAY_SECONDS = 0.5
"""So that a shard that does not answer in time is named before all are given up."""

_KINDS = {error.__name__: error for error in (IndexNotReady, IndexStale)}
"""The errors of shards that mean the same of the whole index."""


class ShardedIndex:
    """A `LookupIndex` of the shards that the settings name."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        token = settings.api_tokens[0] if settings.api_tokens else None
        self._shards = [_ShardClient(url, token) for url in settings.shards]
        self._seconds = settings.shard_timeout_seconds
        self._refresh_seconds = settings.refresh_seconds
        self._clock = clock
        self._threads = ThreadPoolExecutor(AT_ONCE * len(self._shards), "shard")
        self._states: dict[str, tuple[float, IndexState]] = {}

    def due(self, signal_type: str) -> bool:  # noqa: ARG002
        return True

    def search(
        self,
        signal_type: str,
        signals: Sequence[str],
        threshold: int | None = None,
        min_snapshot: int | None = None,
        most_hits: int | None = None,  # noqa: ARG002  # shards are never quick
    ) -> SearchResult:
        question = {
            "signal_type": signal_type,
            "signals": list(signals),
            "threshold": threshold,
            "min_snapshot": min_snapshot,
        }
        results = [reply.result for reply in self._agreed_replies(question)]
        by_signal = zip(*(result.matches for result in results), strict=True)
        return SearchResult(results[0].state, [_merge_matches(shares) for shares in by_signal])

    def state(self, signal_type: str) -> IndexState:
        heard_at, state = self._states.get(signal_type, (float("-inf"), None))
        if state is None or self._clock() - heard_at >= self._refresh_seconds:
            state = self._agreed_replies({"signal_type": signal_type, "signals": []})[
                0
            ].result.state
        return state

    def enabled_ratio(self, signal_type: str) -> float:
        return self.state(signal_type).enabled_ratio

    def size(self, signal_type: str) -> int:
        question = {"signal_type": signal_type, "signals": [], "count": True}
        return sum(reply.size for reply in self._agreed_replies(question))

    def _agreed_replies(self, question: dict[str, Any]) -> list[ShardReply]:
        """The reply of every shard, all from the same snapshot.

        Each looks for a newer snapshot in its own time. Those that are behind the furthest one
        are asked again for no older one than that, until all agree or the time is up.
        """
        asked_at = self._clock()
        deadline = time.monotonic() + self._seconds
        replies: dict[int, ShardReply] = {}
        behind = list(range(len(self._shards)))
        while behind:
            replies |= self._ask_shards(behind, question, deadline)
            self._check([replies[at].shard for at in sorted(replies)])
            newest = max(reply.result.state.number for reply in replies.values())
            behind = [at for at, reply in replies.items() if reply.result.state.number < newest]
            question = question | {"min_snapshot": newest}
        agreed = [replies[at] for at in sorted(replies)]
        state = agreed[0].result.state
        if any(reply.result.state.writer != state.writer for reply in agreed):
            raise Misconfigured(
                "the shards of HMA_SHARDS read different indices: give all the same HMA_STORE_URL"
            )
        self._states[question["signal_type"]] = (asked_at, state)
        return agreed

    def _ask_shards(
        self, which: Sequence[int], question: dict[str, Any], deadline: float
    ) -> dict[int, ShardReply]:
        """The replies of these shards, by their place in the settings.

        Raises:
            IndexNotReady: all of them say so. Of some it is no word on the whole.
            Unavailable: one of them does not answer, as soon as that is known.
        """
        body = json.dumps(question, ensure_ascii=False).encode()
        signals = len(question["signals"])
        asked = {
            self._threads.submit(self._shards[at].ask, body, signals, deadline): at for at in which
        }
        replies: dict[int, ShardReply] = {}
        not_ready: list[IndexNotReady] = []
        left = deadline + LEEWAY_SECONDS - time.monotonic()
        try:
            for future in as_completed(asked, timeout=max(0.0, left)):
                try:
                    replies[asked[future]] = future.result()
                except IndexNotReady as error:
                    not_ready.append(error)
                except HmaError as error:
                    kind = type(error) if isinstance(error, IndexStale) else Unavailable
                    place = f"shard {asked[future] + 1} of the {len(self._shards)} in HMA_SHARDS"
                    raise kind(f"{place} {error.message}") from error
        except TimeoutError as error:
            raise Unavailable("the shards in HMA_SHARDS took too long to answer") from error
        if not_ready and replies:
            raise Unavailable("some of the shards in HMA_SHARDS have no index yet")
        if not_ready:
            raise not_ready[0]
        return replies

    def _check(self, places: Sequence[Shard]) -> None:
        count = len(self._shards)
        if sorted(place.number for place in places if place.of == count) != [*range(1, count + 1)]:
            raise Misconfigured(
                f"HMA_SHARDS names {count}, which say they are "
                f"{', '.join(map(str, places))}: each of 1/{count} to {count}/{count} has to be "
                "there once"
            )


class _ShardClient:
    """One shard, asked over HTTP.

    One that has not answered in time is asked by one lookup at a time until it does: the others
    are told at once, rather than queue behind each other for as long.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._url = f"{url.rstrip('/')}/shard/search"
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._http = urllib3.PoolManager(maxsize=AT_ONCE, retries=False)
        self._silent = False
        self._probe = threading.Lock()

    def ask(self, body: bytes, signals: int, deadline: float) -> ShardReply:
        """What it replies to a question after so many signals.

        Raises:
            Unavailable, IndexNotReady, IndexStale: in words that go on from the shard's name.
        """
        if not self._silent:
            return self._fetch_reply(body, signals, deadline)
        if not self._probe.acquire(blocking=False):
            raise Unavailable("does not answer")
        try:
            return self._fetch_reply(body, signals, deadline)
        finally:
            self._probe.release()

    def _fetch_reply(self, body: bytes, signals: int, deadline: float) -> ShardReply:
        try:
            response = self._send(body, deadline)
        except NewConnectionError as error:  # to urllib3 it is one of those that took too long
            raise Unavailable("cannot be reached") from error
        except TookTooLong as error:
            self._silent = True
            raise Unavailable("did not answer in time") from error
        except HTTPError as error:
            raise Unavailable("cannot be reached") from error
        self._silent = False
        if response.status != 200:
            raise _refusal(response.status, response.data)
        reply = ShardReply.from_bytes(response.data)
        if len(reply.result.matches) != signals:
            raise Unavailable("answers something else than it was asked")
        return reply

    def _send(self, body: bytes, deadline: float) -> urllib3.BaseHTTPResponse:
        """Its response. A connection that it closed while idle is no loss: asking again is safe."""
        for again in (True, False):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TookTooLong
            try:
                return self._http.request(
                    "POST",
                    self._url,
                    body=body,
                    headers=self._headers,
                    timeout=urllib3.Timeout(total=left),
                    redirect=False,
                )
            except ProtocolError:
                if not again:
                    raise
        raise AssertionError("the second try returns or raises")


def _refusal(status: int, data: bytes) -> HmaError:
    """The error that a response says."""
    try:
        refusal = json.loads(data)
        kind, message = _KINDS.get(refusal.get("error"), Unavailable), str(refusal["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        status = 404
    if status == 404:
        return Unavailable("answers as no shard does: where does its address lead?")
    return kind(message) if kind is IndexNotReady else kind(f"says: {message}")


def _merge_matches(shares: Iterable[Sequence[ContentMatch]]) -> list[ContentMatch]:
    """Nearest first, as each of `shares` is. No content is in two of them."""
    return list(heapq.merge(*shares, key=lambda match: (match.order, match.content_id)))
