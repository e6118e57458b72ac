"""An index made anew from the whole catalog, as a plan of tasks that may be done anywhere, twice.

A task reads one range of content ids and writes one segment. What its segment holds follows from
the catalog alone, never from who does it or how many there are, so the files are the same bit for
bit. What a task has made is written down in a record, created if absent: of two who do the same
task one is recorded, and a run that goes on after another died does only what has no record.

Everything lies under the name of the rebuild (`Rebuild.id`): the records in a folder of that name
among the segments, and segments whose ids begin with it. So the collector, which leaves them
alone while the rebuild is under way, later deletes what came to nothing like any dead segment.
"""

import hashlib
import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from core.errors import BadInput, ObjectExists
from core.index.entry import Entry, Mark, Source
from core.index.layers.columns import Columns
from core.index.layers.kinds import layer_kind
from core.index.objects.segment import write_segment
from core.index.objects.snapshot import SegmentRef, segment_ref
from core.signal_types.enabled import SignalTypes
from core.store import ObjectStore

RANGE = 500_000
"""Content ids that a task reads, which bounds its memory."""

BATCH = 50_000
"""Contents, or marks, that are held one by one before they become columns."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """The contents of one type with ids from `first` to `last`, both included."""

    signal_type: str
    rebuild: str
    first: int
    last: int

    @property
    def ids(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def record(self) -> str:
        """Key of what the task has made, there once it is done."""
        return f"{_folder(self.signal_type, self.rebuild)}{self.first}-{self.last}.json"


@dataclass(frozen=True)
class Built:
    """What a task has made.

    Attributes:
        segment: None if there was no such content.
        marks: key of the marks that had been read before the contents were.
    """

    segment: SegmentRef | None
    marks: str


def plan(source: Source, signal_type: str, rebuild: str) -> list[Task]:
    """The tasks that together read all content there is now, by ascending id.

    Ranges begin at multiples of `RANGE`, so that a later plan has the same ones.
    """
    tasks: list[Task] = []
    start = 0
    while (found := source.following(signal_type, start)) is not None:
        first = found - found % RANGE
        start = first + RANGE
        tasks.append(Task(signal_type, rebuild, first, start - 1))
    return tasks


def recorded(store: ObjectStore, tasks: Sequence[Task]) -> dict[Task, Built]:
    """What those of `tasks` have made that are done, all of one rebuild."""
    if not tasks:
        return {}
    there = {info.key for info in store.list(_folder(tasks[0].signal_type, tasks[0].rebuild))}
    return {task: _read(store, task) for task in tasks if task.record in there}


def build(source: Source, store: ObjectStore, signal_types: SignalTypes, task: Task) -> Built:
    """Do `task`. Safe to repeat, and at once with others who do the same one."""
    marks = _store_marks(source, store, task)  # before the state that they mark
    kind = layer_kind(signal_types.kind(task.signal_type).name)
    entries = valid(signal_types, task.signal_type, source.all_entries(task.signal_type, task.ids))
    chunks: list[Columns] = []
    while (chunk := Columns.of(kind, itertools.islice(entries, BATCH))).size:
        chunks.append(chunk)
    segment = None
    if chunks:
        columns = Columns.merge(chunks, at_bottom=True)
        del chunks
        segment = write_segment(store, task.signal_type, columns, task.rebuild)
    built = Built(segment, marks)
    try:
        store.create(task.record, json.dumps(asdict(built), sort_keys=True).encode())
    except ObjectExists:
        return _read(store, task)
    return built


def marks_before(store: ObjectStore, built: Built) -> Iterator[Mark]:
    """The marks that had been set when the task began to read contents."""
    for version, ids in json.loads(store.get(built.marks)).items():
        yield from (Mark(content_id, version) for content_id in ids)


def valid(signal_types: SignalTypes, signal_type: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """`entries` without malformed signals: one of them would break the index of all."""

    def is_valid(signal: str) -> bool:
        try:
            return signal_types.validate(signal_type, signal) == signal
        except BadInput:
            return False

    for entry in entries:
        signals = tuple(signal for signal in entry.signals if is_valid(signal))
        if signals:
            yield entry if signals == entry.signals else replace(entry, signals=signals)
        else:
            _log.warning("content %s has no valid %s signal", entry.content_id, signal_type)


def _folder(signal_type: str, rebuild: str) -> str:
    return f"index/{signal_type}/segments/{rebuild}/"


def _store_marks(source: Source, store: ObjectStore, task: Task) -> str:
    """Store the marks within the task's range, by version; their key."""
    ids: dict[str, list[int]] = {}
    rest = task.ids
    while page := source.marks(task.signal_type, BATCH, rest):
        for mark in page:
            ids.setdefault(mark.version, []).append(mark.content_id)
        rest = range(page[-1].content_id + 1, task.last + 1)
    data = json.dumps(ids, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    key = f"{_folder(task.signal_type, task.rebuild)}{digest}.marks"
    store.put(key, data)
    return key


def _read(store: ObjectStore, task: Task) -> Built:
    record = json.loads(store.get(task.record))
    segment = record["segment"]
    return Built(segment_ref(**segment) if segment else None, record["marks"])
