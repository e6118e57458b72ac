"""What a fake exchange knows: every record in the order of its last change."""

import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

BEGINNING = 1_600_000_000
"""Unix seconds of the first change."""

BYTES = {"pdq": 32, "video_md5": 16}


@dataclass(frozen=True)
class Record:
    """One signal and what became of it.

    Attributes:
        number: unique, and the same through all changes.
        signal: as its member wrote it.
        stamp: Unix seconds of its last change.
        gone: it was removed; exchanges go on telling that it is.
        poisoned: it is no signal, whatever its type says.
        broken: it lacks what a record of its exchange needs.
    """

    number: int
    signal_type: str
    signal: str
    stamp: int
    gone: bool = False
    poisoned: bool = False
    broken: bool = False


class Ledger:
    """Records that may be changed while they are served.

    Args:
        per_second: how many records of a `fill` share a second.
    """

    def __init__(self, per_second: int = 10) -> None:
        self._per_second = per_second
        self._lock = Lock()
        self._earliest = BEGINNING
        self._log: list[Record | None] = []  # None where a record stood before its last change
        self._stamps: list[int] = []
        self._places: list[int] = []  # by number
        self._numbers: dict[str, int] = {}

    def fill(self, count: int, seed: int = 0) -> None:
        """Add `count` random signals, of which every tenth is the MD5 of a video."""
        rng = random.Random(seed)
        for number in range(count):
            signal_type = "pdq" if number % 10 else "video_md5"
            self.add(rng.randbytes(BYTES[signal_type]).hex(), signal_type)
            if number % self._per_second == self._per_second - 1:
                self.not_before(self._earliest + 1)

    def add(self, signal: str, signal_type: str = "pdq") -> None:
        self._add(signal, signal_type)

    def poison(self, signal: str = "no signal at all", signal_type: str = "pdq") -> None:
        """Add a record whose signal is none."""
        self._add(signal, signal_type, poisoned=True)

    def damage(self, signal: str, signal_type: str = "pdq") -> None:
        """Add a record that lacks what records of its exchange need."""
        self._add(signal, signal_type, poisoned=True, broken=True)

    def remove(self, signal: str) -> None:
        """Tell from now on that the record is gone."""
        with self._lock:
            place = self._places[self._numbers[signal]]
            record = self._log[place]
            assert record is not None
            self._log[place] = None
            self._append(replace(record, gone=True, stamp=self._earliest))

    def not_before(self, stamp: int) -> None:
        """Date all changes from now on `stamp` or later, so that what was told stays true."""
        with self._lock:
            self._earliest = max(self._earliest, stamp)

    def live(self) -> set[tuple[str, str]]:
        """Type and signal of all that is to match now."""
        with self._lock:
            return {
                (record.signal_type, record.signal.lower())
                for record in self._log
                if record is not None and not record.gone and not record.poisoned
            }

    def position(self, stamp: int) -> int:
        """Of the first change at `stamp` or later."""
        with self._lock:
            return bisect_left(self._stamps, stamp)

    def page(self, position: int, size: int) -> tuple[Sequence[Record], int, bool]:
        """The next `size` records from there, the position behind them, and whether more follow."""
        records: list[Record] = []
        with self._lock:
            while position < len(self._log):
                record = self._log[position]
                if record is not None:
                    if len(records) == size:
                        return records, position, True
                    records.append(record)
                position += 1
            return records, position, False

    def between(self, start: int, end: int) -> Sequence[Record]:
        """All whose last change was then, both seconds included."""
        with self._lock:
            first, last = bisect_left(self._stamps, start), bisect_left(self._stamps, end + 1)
            return [record for record in self._log[first:last] if record is not None]

    def current(self, record: Record) -> Record:
        """The same record as it is by now."""
        with self._lock:
            latest = self._log[self._places[record.number]]
            assert latest is not None
            return latest

    def _add(
        self, signal: str, signal_type: str, poisoned: bool = False, broken: bool = False
    ) -> None:
        with self._lock:
            number = len(self._places)
            self._numbers[signal] = number
            self._places.append(0)
            stamp = self._earliest
            self._append(Record(number, signal_type, signal, stamp, False, poisoned, broken))

    def _append(self, record: Record) -> None:
        self._places[record.number] = len(self._log)
        self._log.append(record)
        self._stamps.append(record.stamp)
