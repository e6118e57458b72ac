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
from core.index.entry import Entry, Mark
from core.index.layers.columns import Columns
from core.index.layers.kinds import layer_kind
from core.index.objects.layout import Layout
from core.index.objects.segment import write_segment
from core.index.objects.snapshot import SegmentRef, segment_ref
from core.index.source import CatalogSource
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

    layout: Layout
    rebuild: str
    first: int
    last: int

    @property
    def signal_type(self) -> str:
        return self.layout.signal_type

    @property
    def ids(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def record(self) -> str:
        """Key of what the task has made, there once it is done."""
        return self.layout.task_record(self.rebuild, self.first, self.last)


@dataclass(frozen=True)
class TaskResult:
    """What a task has made.

    Attributes:
        segment: None if there was no such content.
        marks: key of the marks that had been read before the contents were.
    """

    segment: SegmentRef | None
    marks: str


def plan(source: CatalogSource, layout: Layout, rebuild: str) -> list[Task]:
    """The tasks that together read all content there is now, by ascending id.

    Ranges begin at multiples of `RANGE`, so that a later plan has the same ones.
    """
    tasks: list[Task] = []
    start = 0
    while (next_id := source.following(layout.signal_type, start)) is not None:
        first = next_id - next_id % RANGE
        start = first + RANGE
        tasks.append(Task(layout, rebuild, first, start - 1))
    return tasks


def read_results(store: ObjectStore, tasks: Sequence[Task]) -> dict[Task, TaskResult]:
    """What those of `tasks`, all of one rebuild, have made that are done."""
    if not tasks:
        return {}
    keys = {info.key for info in store.list(tasks[0].layout.rebuild(tasks[0].rebuild))}
    return {task: _read_result(store, task) for task in tasks if task.record in keys}


def build(
    source: CatalogSource, store: ObjectStore, signal_types: SignalTypes, task: Task
) -> TaskResult:
    """Do `task`. Safe to repeat, and at once with others who do the same one."""
    marks = _store_marks(source, store, task)  # before the state that they mark
    kind = layer_kind(signal_types.kind(task.signal_type).name)
    entries = valid_entries(
        signal_types, task.signal_type, source.all_entries(task.signal_type, task.ids)
    )
    chunks: list[Columns] = []
    while (chunk := Columns.of(kind, itertools.islice(entries, BATCH))).size:
        chunks.append(chunk)
    segment = None
    if chunks:
        columns = Columns.merge(chunks, at_bottom=True)
        del chunks
        segment = write_segment(store, task.layout, columns, task.rebuild)
    result = TaskResult(segment, marks)
    try:
        store.create(task.record, json.dumps(asdict(result), sort_keys=True).encode())
    except ObjectExists:
        return _read_result(store, task)
    return result


def marks_before(store: ObjectStore, result: TaskResult) -> Iterator[Mark]:
    """The marks that had been set when the task began to read contents."""
    for version, ids in json.loads(store.get(result.marks)).items():
        yield from (Mark(content_id, version) for content_id in ids)


def valid_entries(
    signal_types: SignalTypes, signal_type: str, entries: Iterable[Entry]
) -> Iterator[Entry]:
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


def _store_marks(source: CatalogSource, store: ObjectStore, task: Task) -> str:
    """Store the marks within the task's range, by version; their key."""
    ids: dict[str, list[int]] = {}
    rest = task.ids
    while page := source.marks(task.signal_type, BATCH, rest):
        for mark in page:
            ids.setdefault(mark.version, []).append(mark.content_id)
        rest = range(page[-1].content_id + 1, task.last + 1)
    data = json.dumps(ids, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    key = task.layout.task_marks(task.rebuild, digest)
    store.put(key, data)
    return key


def _read_result(store: ObjectStore, task: Task) -> TaskResult:
    record = json.loads(store.get(task.record))
    segment = record["segment"]
    return TaskResult(segment_ref(**segment) if segment else None, record["marks"])
