"""A snapshot: which segments and which inline tail make up the index of one signal type.

Numbered from 1, created if absent, never changed: the store's order of creation is the order of
the index. Whoever holds one holds everything an answer needs, so a lookup never mixes two.

Layers, oldest first: the segments in their listed order, then the tail. A content named by a
layer (held or removed) hides whatever earlier layers say of it: the newest layer wins.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import ObjectMissing, SegmentCorrupt
from core.index.entry import Entry, IndexedBank
from core.index.objects.layout import Layout
from core.store import ObjectStore

FORMAT = 1


@dataclass(frozen=True)
class FileRef:
    """One immutable file of a segment: its length in bytes and the SHA-256 of its content."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class SegmentRef:
    """A segment as a snapshot names it.

    Attributes:
        id: SHA-256 over kind and files; the folder it is stored in.
        kind: name of the kind of its signals; `banks` if it is a list of those.
        contents: number of contents it holds or removes, or of banks.
        rows: number of signals.
        files: by name.
    """

    id: str
    kind: str
    contents: int
    rows: int
    files: Mapping[str, FileRef]

    @property
    def bytes(self) -> int:
        """Length of all its files."""
        return sum(file.bytes for file in self.files.values())


@dataclass(frozen=True)
class Tail:
    """The newest changes, inline: content that is held and ids of content that is gone."""

    held: tuple[Entry, ...] = ()
    removed: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.held) + len(self.removed)

    def bytes(self) -> int:
        """Length of the tail as it stands in a snapshot."""
        return len(_canonical(asdict(self)))

    def then(self, held: Mapping[int, Entry], removed: frozenset[int]) -> "Tail":
        """This tail after a further change, by ascending content id."""
        changed = held.keys() | removed
        kept = (entry for entry in self.held if entry.content_id not in changed)
        entries = {entry.content_id: entry for entry in (*kept, *held.values())}
        gone = (set(self.removed) - changed) | removed
        return Tail(tuple(entries[i] for i in sorted(entries)), tuple(sorted(gone)))


@dataclass(frozen=True)
class Rebuild:
    """A rebuild that is under way.

    The oldest segments stay as they are till it takes their place: what is published meanwhile
    comes above them, and whoever merges leaves them alone.

    Attributes:
        id: 32 hex digits, with which the ids of the segments that it writes begin.
        until: Unix time; nobody waits for it any longer.
        below: how many segments, the oldest, it replaces.
    """

    id: str
    until: float
    below: int


@dataclass(frozen=True)
class Snapshot:
    """The whole index of one signal type at one moment.

    Attributes:
        number: 1, 2, 3, … in order of creation.
        writer: unique to the attempt that made it, so that a publisher knows its own.
        created_at: Unix time by the publisher's clock.
        threshold: largest distance that matches, inclusive (binary kinds).
        banks: by id; none where there is a `bank_list`, until they are read from it.
        bank_list: where the banks are if they are too many to stand here.
        enabled_ratio: 0 while the type is switched off: nobody matches with it then.
        rebuild: what will take the place of the oldest segments, if it comes to its end.
    """

    signal_type: str
    number: int
    writer: str
    created_at: float
    threshold: int
    banks: tuple[IndexedBank, ...] = ()
    segments: tuple[SegmentRef, ...] = ()
    tail: Tail = field(default_factory=Tail)
    enabled_ratio: float = 1.0
    rebuild: Rebuild | None = None
    bank_list: SegmentRef | None = None

    @property
    def settled(self) -> int:
        """How many segments, the oldest, nobody may merge now."""
        return self.rebuild.below if self.rebuild else 0

    def segment_ids(self) -> set[str]:
        """The ids of everything in the store that it needs."""
        listed = [self.bank_list] if self.bank_list else []
        return {segment.id for segment in (*self.segments, *listed)}

    def to_bytes(self) -> bytes:
        """JSON with a checksum over its own canonical form."""
        body = asdict(self) | {"format": FORMAT}
        if self.bank_list is None:
            del body["bank_list"]  # which versions before it do not know
        text = _canonical(body)
        return _canonical({"sha256": hashlib.sha256(text).hexdigest(), "snapshot": body})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Snapshot":
        """The snapshot that `to_bytes` wrote.

        Raises:
            SegmentCorrupt: not JSON, a wrong checksum or an unknown format.
        """
        try:
            outer = json.loads(data)
            body = outer["snapshot"]
            if hashlib.sha256(_canonical(body)).hexdigest() != outer["sha256"]:
                raise SegmentCorrupt("a snapshot's checksum does not fit its content")
            if body.pop("format") != FORMAT:
                raise SegmentCorrupt("a snapshot has a format that this version cannot read")
            return cls(
                **body
                | {
                    "banks": tuple(IndexedBank(**bank) for bank in body["banks"]),
                    "bank_list": (
                        segment_ref(**body["bank_list"]) if "bank_list" in body else None
                    ),
                    "segments": tuple(segment_ref(**segment) for segment in body["segments"]),
                    "tail": Tail(
                        tuple(_entry(**entry) for entry in body["tail"]["held"]),
                        tuple(body["tail"]["removed"]),
                    ),
                    "rebuild": Rebuild(**body["rebuild"]) if body.get("rebuild") else None,
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SegmentCorrupt(f"a snapshot cannot be read: {error}") from error


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def segment_ref(files: Mapping[str, Any], **fields: Any) -> SegmentRef:
    """The value that was written as JSON, from its fields."""
    return SegmentRef(files={name: FileRef(**ref) for name, ref in files.items()}, **fields)


def _entry(signals: list[str], labels: Sequence[str] = (), **fields: Any) -> Entry:
    return Entry(signals=tuple(signals), labels=tuple(labels), **fields)


def read_snapshot(store: ObjectStore, layout: Layout, number: int) -> Snapshot | None:
    """Snapshot `number`, or None if it surely does not exist."""
    if number < 1:
        return None
    key = layout.snapshot(number)
    try:
        return Snapshot.from_bytes(store.get(key))
    except ObjectMissing:
        return None
    except SegmentCorrupt as error:
        raise SegmentCorrupt(f"{key}: {error.message}") from error


def newest_snapshot(
    store: ObjectStore, layout: Layout, known: Snapshot | None = None
) -> Snapshot | None:
    """The newest snapshot of an index, None if there is none.

    From `known` (a recent one) it costs one GET when that is still the newest. From nothing it
    starts at the hint, which may be old or wrong, then at a listing, and follows the numbers up.

    Raises:
        StoreUnavailable, SegmentCorrupt
    """
    if known is not None and read_snapshot(store, layout, known.number + 1) is None:
        return known
    newest = read_snapshot(store, layout, _read_hint(store, layout))
    if newest is None:
        newest = read_snapshot(store, layout, max(list_numbers(store, layout), default=0))
    while newest and (later := read_snapshot(store, layout, newest.number + 1)):
        newest = later
    return newest


def write_hint(store: ObjectStore, layout: Layout, number: int) -> None:
    """Let those who know of no snapshot start at this one."""
    store.put(layout.hint, _canonical({"number": number}))


def _read_hint(store: ObjectStore, layout: Layout) -> int:
    try:
        number = json.loads(store.get(layout.hint))["number"]
        return number if isinstance(number, int) else 0
    except (ObjectMissing, ValueError, KeyError, TypeError):
        return 0


def list_numbers(store: ObjectStore, layout: Layout) -> list[int]:
    """The numbers of all snapshots that are stored, ascending."""
    names = [info.key.rsplit("/", 1)[1] for info in store.list(layout.snapshots)]
    return [int(name[:20]) for name in names if name[:20].isdigit()]
