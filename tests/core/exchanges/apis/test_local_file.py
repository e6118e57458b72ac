"""A file as an exchange: also what is taken out of it goes."""

import os
from pathlib import Path
from typing import Any

import pytest
from threatexchange.exchanges.impl.file_api import FileCollaborationConfig
from threatexchange.signal_type.pdq.signal import PdqSignal

from core.errors import ExchangeRefused
from core.exchanges.apis.local_file import LINES, LocalFile, LocalFileCheckpoint
from core.exchanges.dataclass_json import as_json, from_json
from core.exchanges.poison import Poisoned
from tests.core.exchanges.apis.member import TYPES

A, B, C = ("pdq", "a" * 64), ("pdq", "b" * 64), ("video_md5", "c" * 32)


def fetched(
    path: Path, checkpoint: Any = None, signal_type: str | None = None
) -> tuple[dict[Any, Any], LocalFileCheckpoint]:
    """All updates, and the last checkpoint after it went through JSON."""
    config = FileCollaborationConfig(name="X", filename=str(path), signal_type=signal_type)
    updates: dict[Any, Any] = {}
    for delta in LocalFile.for_collab(config).fetch_iter(TYPES, checkpoint):
        updates |= delta.updates
        checkpoint = delta.checkpoint
    assert set(LocalFile.naive_convert_to_signal_type(TYPES, config, _sound(updates))) <= set(TYPES)
    return updates, from_json(as_json(checkpoint), LocalFileCheckpoint)


def _sound(updates: dict[Any, Any]) -> dict[Any, Any]:
    return {key: one for key, one in updates.items() if not isinstance(one, Poisoned)}


def write(path: Path, *signals: tuple[str, str]) -> None:
    path.write_text("".join(f"{name} {signal}\n" for name, signal in signals))


def test_a_line_that_is_taken_out_goes(tmp_path: Path) -> None:
    """Once a file has changed its checkpoint is stale, and the list begins anew without it."""
    path = tmp_path / "signals"
    write(path, A, B, C)
    updates, checkpoint = fetched(path)
    assert set(updates) == {A, B, C}
    assert not checkpoint.is_stale()
    write(path, A, C)
    assert checkpoint.is_stale()
    updates, checkpoint = fetched(path)
    assert set(updates) == {A, C}
    assert not checkpoint.is_stale()


def test_a_file_that_is_as_it_was_is_not_read_again(tmp_path: Path) -> None:
    """Nothing is fetched twice."""
    path = tmp_path / "signals"
    write(path, A, B)
    _, checkpoint = fetched(path)
    assert fetched(path, checkpoint) == ({}, checkpoint)


def test_a_change_that_keeps_the_size_is_one(tmp_path: Path) -> None:
    """Also a file of the same length, put in the place of the other, is another."""
    path, other = tmp_path / "signals", tmp_path / "other"
    write(path, A)
    _, checkpoint = fetched(path)
    write(other, B)
    other.replace(path)
    os.utime(path, ns=(1, 1))
    assert checkpoint.is_stale()


def test_a_long_file_is_resumed_in_its_middle(tmp_path: Path) -> None:
    """Lines come some at a time, and after any of these the rest is enough."""
    path = tmp_path / "signals"
    signals = [("pdq", f"{number:064x}") for number in range(3 * LINES)]
    write(path, *signals)
    config = FileCollaborationConfig(name="X", filename=str(path))
    first = next(LocalFile(config).fetch_iter(TYPES, None))
    assert set(first.updates) == set(signals[:LINES])
    rest, _ = fetched(path, first.checkpoint)
    assert set(rest) == set(signals[LINES:])


def test_a_file_that_is_missing_deletes_nothing(tmp_path: Path) -> None:
    """A disk that is not there is an error and no empty list."""
    path = tmp_path / "signals"
    write(path, A)
    _, checkpoint = fetched(path)
    path.unlink()
    assert not checkpoint.is_stale()
    with pytest.raises(ExchangeRefused, match="cannot be read: No such file"):
        fetched(path, checkpoint)
    with pytest.raises(ExchangeRefused, match="cannot be read: Is a directory"):
        fetched(tmp_path)


def test_lines_as_people_write_them(tmp_path: Path) -> None:
    """Capitals, spaces, empty lines, a byte order mark and the ends of lines of Windows."""
    path = tmp_path / "signals"
    text = f"\ufeffpdq {'A' * 64}\r\n\r\n  pdq   {'b' * 64}  \r\nvideo_md5 {'C' * 32}"
    path.write_bytes(text.encode())
    assert set(fetched(path)[0]) == {A, B, C}


def test_lines_of_bare_signals(tmp_path: Path) -> None:
    """With a type in the configuration, lines are signals of it."""
    path = tmp_path / "signals"
    path.write_text(f"{A[1]}\n{B[1]}\n")
    assert set(fetched(path, signal_type="pdq")[0]) == {A, B}


def test_what_is_no_signal_is_not_quoted(tmp_path: Path) -> None:
    """Whoever may name a file for us to read does not get to read it."""
    path = tmp_path / "signals"
    path.write_text(f"root:x:0:0:root\nroot password\n{A[0]} {A[1]}\npdq secret\nurl http://x\n")
    for signal_type in (None, "pdq"):
        updates, _ = fetched(path, signal_type=signal_type)
        poisoned = {key: one for key, one in updates.items() if isinstance(one, Poisoned)}
        assert ("", "line 1") in poisoned
        assert ("", "line 4") in poisoned
        for word in ("root", "secret", "http"):
            assert word not in repr(poisoned)


def test_types_that_are_not_enabled_are_left_out(tmp_path: Path) -> None:
    """Signals of a known type are no poison because nobody matches them now."""
    path = tmp_path / "signals"
    write(path, A, C)
    config = FileCollaborationConfig(name="X", filename=str(path))
    deltas = list(LocalFile(config).fetch_iter([PdqSignal], None))
    assert [set(one.updates) for one in deltas] == [{A}]
