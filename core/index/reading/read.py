"""The newest snapshot, loaded: what every lookup asks.

Freshness is driven by requests, because platforms freeze idle functions: whoever asks after
`refresh_seconds` has the store looked at first, and waits for that for a while: see `looks`. We
fail closed: past `max_stale_seconds` without word from the store, or from a publisher, there is no
answer rather than an old one.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import dropwhile

from core.errors import (
    HmaError,
    IndexNotReady,
    IndexStale,
    Misconfigured,
    ObjectMissing,
    StoreUnavailable,
    Unavailable,
)
from core.index.layers.columns import Columns, Names
from core.index.layers.kinds import layer_kind
from core.index.layers.layer import Layer
from core.index.objects.banks import load_banks
from core.index.objects.cache import DiskCache
from core.index.objects.layout import ROOT, Layout
from core.index.objects.segment import fetch_postings, open_names, open_segment
from core.index.objects.snapshot import SegmentRef, Snapshot, newest_snapshot
from core.index.reading.loaded import LoadedIndex
from core.index.reading.looks import PATIENCE_SECONDS, Looker, Patience
from core.index.reading.lookup_index import IndexState, SearchResult
from core.index.reading.switch import Switch
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.store import ObjectStore

_log = logging.getLogger(__name__)


class Index:
    """The loaded indices of one process, one for each signal type, kept fresh by those who ask.

    A `LookupIndex`, unless the settings make it a shard: then only `get` tells what it holds.
    """

    def __init__(
        self,
        store: ObjectStore,
        signal_types: SignalTypes,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        root: str = ROOT,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        patience = Patience(patience_seconds)
        self._readers = {
            name: Reader(Layout(name, root), signal_types, store, settings, patience, clock)
            for name in signal_types.enabled()
        }
        self._shard = settings.shard

    def get(self, signal_type: str, min_snapshot: int | None = None) -> LoadedIndex:
        """The index of an enabled type, no older than the settings allow.

        Args:
            min_snapshot: number the caller has seen or was promised; older is no answer.

        Raises:
            IndexNotReady, IndexStale, StoreUnavailable, SegmentCorrupt: nobody knows right now.
        """
        return self._readers[signal_type].get(min_snapshot)

    def due(self, signal_type: str) -> bool:
        """Whether `get` would wait for the store first, so that it may take a while."""
        return self._readers[signal_type].due()

    def expect(self, numbers: Mapping[str, int]) -> None:
        """Let the next lookup of each type look for the snapshot that this process published.

        If the store does not give it in time, that lookup is answered from what is held.
        """
        for signal_type, number in numbers.items():
            self._readers[signal_type].expect(number)

    def enabled_ratio(self, signal_type: str) -> float:
        return self._readers[signal_type].enabled_ratio()

    def search(
        self,
        signal_type: str,
        signals: Sequence[str],
        threshold: int | None = None,
        min_snapshot: int | None = None,
        most_hits: int | None = None,
    ) -> SearchResult:
        self._check_whole()
        loaded = self.get(signal_type, min_snapshot)
        return SearchResult(loaded.state, loaded.search(signals, threshold, most_hits))

    def state(self, signal_type: str) -> IndexState:
        return self.get(signal_type).state

    def size(self, signal_type: str) -> int:
        self._check_whole()
        return self.get(signal_type).size()

    def _check_whole(self) -> None:
        if self._shard.of > 1:
            raise Misconfigured(
                f"HMA_SHARD is {self._shard}: a share of the index knows no whole answer. Ask the "
                "`route` function, and set HMA_SHARD for the `shard` functions behind it alone"
            )


class Reader:
    """Keeps the index of one signal type loaded."""

    def __init__(
        self,
        layout: Layout,
        signal_types: SignalTypes,
        store: ObjectStore,
        settings: Settings,
        patience: Patience,
        clock: Callable[[], float],
    ) -> None:
        self._name = layout.signal_type
        self._layout = layout
        self._type = signal_types.get(self._name)
        self._kind = layer_kind(signal_types.kind(self._name).name)
        self._store = store
        self._settings = settings
        self._clock = clock
        self._cache = DiskCache(store, settings.cache_dir)
        self._switch = Switch(layout, store, settings, patience, clock)
        self._looker = Looker(self._look, patience)
        self._loaded: LoadedIndex | None = None
        self._looked_at = float("-inf")
        self._confirmed_at = float("-inf")
        self._failure: HmaError | None = None
        self._expected = 0
        self._looked_for = 0
        self._scanned: dict[str, tuple[SegmentRef, Layer]] = {}
        self._fetching: threading.Thread | None = None

    def due(self) -> bool:
        age = self._clock() - self._looked_at
        old = not 0 <= age < self._settings.refresh_seconds  # a clock set back is due too
        # While others wait for the store, what is loaded is answered from.
        return self._is_behind() or (
            old and (self._loaded is None or not self._looker.is_looking())
        )

    def expect(self, number: int) -> None:
        self._expected = max(self._expected, number)
        self._switch.forget()

    def enabled_ratio(self) -> float:
        """0 while the signal type is off. Nothing is loaded to know that.

        Raises:
            Unavailable: what is loaded is too old.
        """
        if self._loaded is None:
            return self._switch.enabled_ratio()
        return self.get().snapshot.enabled_ratio

    def get(self, min_snapshot: int | None = None) -> LoadedIndex:
        if self.due() or self._is_behind(min_snapshot):
            silent = isinstance(self._failure, StoreUnavailable)
            self._looker.look(
                lambda: self.due() or self._is_behind(min_snapshot),
                join=not silent,
                to_end=self._loaded is None,
            )
        return self._require_fresh(min_snapshot)

    def _is_behind(self, min_snapshot: int | None = None) -> bool:
        """Whether a snapshot is asked for, or expected and not looked for yet, that is newer."""
        number = self._loaded.snapshot.number if self._loaded else 0
        expected = self._expected if self._expected > self._looked_for else 0
        return number < max(min_snapshot or 0, expected)

    def _require_fresh(self, min_snapshot: int | None) -> LoadedIndex:
        loaded = self._loaded
        if loaded is None:
            raise self._failure or IndexNotReady("index not yet ready")
        now, limit = self._clock(), self._settings.max_stale_seconds
        if now - self._confirmed_at > limit:
            raise self._failure or IndexStale("the index could not be refreshed")
        if now - loaded.snapshot.created_at > limit:
            raise IndexStale(
                f"the newest index is {now - loaded.snapshot.created_at:.0f} s old: is `publish` "
                f"scheduled at least every {limit / 3:.0f} s?"
            )
        if min_snapshot is not None and loaded.snapshot.number < min_snapshot:
            raise Unavailable(f"snapshot {min_snapshot} of {self._name} is not there yet")
        return loaded

    def _look(self) -> None:
        """Ask the store for something newer, and again while more was published meanwhile."""
        while True:
            expected = self._expected
            failure = self._try_to_load()
            if failure and (self._failure is None or self._failure.message != failure.message):
                _log.warning("%s could not be refreshed: %s", self._name, failure.message)
            self._failure = failure  # for `_require_fresh`, once what we hold is too old
            self._looked_for, self._looked_at = expected, self._clock()
            if self._expected == expected:
                return

    def _try_to_load(self) -> HmaError | None:
        """Load the newest snapshot. Whatever fails, what we hold stays as it was."""
        try:
            self._load_newest()
        except HmaError as error:
            return error
        except Exception:
            _log.exception("%s could not be refreshed", self._name)
            return Unavailable("the newest index cannot be loaded; the log says why")
        return None

    def _load_newest(self) -> None:
        asked_at = self._clock()
        known = self._loaded
        # A number that was deleted while we slept must not lead us to a second, false successor.
        recent = asked_at - self._confirmed_at < self._settings.max_stale_seconds
        newest = newest_snapshot(
            self._store, self._layout, known.snapshot if known and recent else None
        )
        self._looker.note_answer()
        if newest is None:
            raise IndexNotReady("index not yet ready")
        if known is None or newest.number != known.snapshot.number:
            try:
                self._loaded = self._load(newest)
            except ObjectMissing:  # merged away while we read it: there is a newer one
                newest = newest_snapshot(self._store, self._layout)
                if newest is None:
                    raise IndexNotReady("index not yet ready") from None
                self._loaded = self._load(newest)
        self._confirmed_at = asked_at
        self._fetch_postings()

    def _load(self, snapshot: Snapshot) -> LoadedIndex:
        known = self._loaded.snapshot if self._loaded else None
        snapshot = load_banks(snapshot, self._cache, self._layout, known)
        held = self._loaded.segments if self._loaded else {}
        shard = self._settings.shard
        own = shard.own({ref.id: ref.rows for ref in snapshot.segments})
        segments = {}
        for ref in snapshot.segments:
            if ref.id in own:
                segments[ref.id] = held.get(ref.id) or self._open(ref)
        # What was merged away would fail for ever, and keep its successors waiting. Of a copy,
        # since the thread that fetches postings takes out what it has fetched.
        for merged_away in set(self._scanned) - segments.keys():
            self._scanned.pop(merged_away, None)
        if segments.keys() - held.keys():
            self._cache.prune()
        tail = Columns.of(self._kind, snapshot.tail.held, snapshot.tail.removed)
        layer = Layer(self._kind, self._type, tail.files())
        others = self._open_others(snapshot, segments)
        return LoadedIndex(snapshot, segments, layer, others, search_tail=shard.has_tail)

    def _open_others(self, snapshot: Snapshot, own: Collection[str]) -> dict[str, Names]:
        """What the segments of other shards name, as far as it can hide anything of `own`."""
        held = self._loaded.others if self._loaded else {}
        later = dropwhile(lambda ref: ref.id not in own, snapshot.segments)
        return {
            ref.id: held.get(ref.id) or open_names(self._cache, self._layout, ref)
            for ref in later
            if ref.id not in own
        }

    def _open(self, ref: SegmentRef) -> Layer:
        layer = open_segment(self._cache, self._layout, self._type, ref)
        if "postings" in ref.files and not layer.has_postings:
            self._scanned[ref.id] = (ref, layer)
        return layer

    def _fetch_postings(self) -> None:
        """Let what makes large segments fast follow, while they are scanned.

        That nothing may rely on a background thread holds here too: until the postings are
        there, and if they never come, the same answers take longer.
        """
        if not self._scanned or (self._fetching and self._fetching.is_alive()):
            return

        def fetch() -> None:
            for ref, layer in list(self._scanned.values()):
                try:
                    fetch_postings(self._cache, self._layout, ref, layer)
                except Exception as error:  # tried again by the next look
                    _log.warning("%s is scanned without postings: %s", self._name, error)
                    return
                self._scanned.pop(ref.id, None)

        self._fetching = threading.Thread(target=fetch, name="postings", daemon=True)
        self._fetching.start()
