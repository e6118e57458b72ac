"""A file of signals on the machine that fetches, one a line: `<type> <signal>`, or a bare signal.

A checkpoint tells which state of the file it speaks for, and is stale as soon as the file is in
another: then the file is read from the start, and what is not in it any more goes.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from threatexchange.exchanges.fetch_state import (
    FetchCheckpointBase,
    FetchDelta,
    FetchedSignalMetadata,
)
from threatexchange.exchanges.impl import file_api as theirs
from threatexchange.signal_type.signal_base import SignalType

from core.errors import ExchangeRefused
from core.exchanges.apis.signal_form import by_type, normalise_form
from core.exchanges.poison import Poisoned
from core.signal_types.enabled import SIGNAL_TYPES

LINES = 1000
LONGEST_LINE = 1 << 20

LocalFileKey = tuple[str, str]


@dataclass
class LocalFileCheckpoint(FetchCheckpointBase):  # type: ignore[misc]
    """How far a file was read, in the state that it was in.

    Attributes:
        version: names that state; another one after any change.
        line: lines read.
        offset: bytes read.
    """

    filename: str = ""
    version: str = ""
    line: int = 0
    offset: int = 0

    def is_stale(self) -> bool:
        """Whether the file has changed. One that is absent has not: losing it deletes nothing."""
        try:
            return self.version != _version(Path(self.filename).stat())
        except OSError:
            return not self.filename


class LocalFile(theirs.LocalFileSignalExchangeAPI):  # type: ignore[misc]
    """See the module."""

    @classmethod
    def get_name(cls) -> str:
        return "local_file"

    @staticmethod
    def get_checkpoint_cls() -> type[LocalFileCheckpoint]:
        return LocalFileCheckpoint

    def fetch_iter(
        self,
        supported_signal_types: Sequence[type[SignalType]],
        checkpoint: LocalFileCheckpoint | None,
    ) -> Iterator[FetchDelta]:
        """Some lines at a time, from the start unless the file is as it was.

        Raises:
            ExchangeRefused: there is no such file, or it cannot be read.
        """
        types = {signal_type.get_name(): signal_type for signal_type in supported_signal_types}
        name = self.collab.filename
        try:
            with Path(name).open("rb") as file:
                version = _version(os.fstat(file.fileno()))
                line = 0
                if checkpoint and (checkpoint.filename, checkpoint.version) == (name, version):
                    line = checkpoint.line
                    file.seek(checkpoint.offset)
                while True:
                    updates, read = self._lines(file, line, types)
                    line += read
                    reached = LocalFileCheckpoint(name, version, line, file.tell())
                    yield FetchDelta(updates, reached)
                    if read < LINES:
                        return
        except OSError as error:
            raise ExchangeRefused(f"local_file: {name} cannot be read: {error.strerror}") from error

    def _lines(
        self, file: IO[bytes], before: int, types: Mapping[str, type[SignalType]]
    ) -> tuple[dict[LocalFileKey, Any], int]:
        """The next lines as updates, and how many there were."""
        updates: dict[LocalFileKey, Any] = {}
        for read in range(LINES):
            line = file.readline(LONGEST_LINE)
            if not line:
                return updates, read
            key, record = self._record(line, before + read + 1, types)
            if key[1]:
                updates[key] = record
        return updates, LINES

    def _record(
        self, line: bytes, number: int, types: Mapping[str, type[SignalType]]
    ) -> tuple[LocalFileKey, Any]:
        """A line under its key, which is without a signal if there is nothing for us in it.

        What is no signal is not quoted: whoever names a file need not be one who may read it.
        """
        text = line.decode("utf-8-sig", errors="replace").strip()
        name = self.collab.signal_type
        signal = text
        if name is None:
            name, _, signal = text.partition(" ")
            if name and not signal:
                return ("", f"line {number}"), Poisoned("it has no signal after its type", "")
        try:
            return (
                name,
                normalise_form(types[name], signal) if signal else "",
            ), FetchedSignalMetadata()
        except KeyError:
            if name in SIGNAL_TYPES:
                return ("", ""), None  # not enabled; once it is, the file is read anew
            return ("", f"line {number}"), Poisoned("it begins with no signal type", "")
        except ValueError:
            return ("", f"line {number}"), Poisoned(f"it holds no {name} signal", "")

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        _collab: Any,
        fetched: Mapping[LocalFileKey, Any],
    ) -> dict[type[SignalType], dict[str, Any]]:
        """Raises ValueError if a signal is malformed."""
        return by_type(signal_types, fetched)


def _version(stat: os.stat_result) -> str:
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
