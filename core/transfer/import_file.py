"""A file's lines into banks: each content that is not there yet, checked as if a client sent it.

A line that breaks a rule is reported and left out whole. Running it again adds nothing, and after
a run that was killed it adds the rest.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TextIO

from core.catalog import Bank, Catalog
from core.catalog.content.fields import checked_note
from core.catalog.content.label import checked_labels
from core.catalog.content.metadata import checked_metadata
from core.catalog.text import storable
from core.catalog.transfer.content_state import ContentState
from core.catalog.transfer.transferred_content import AT_ONCE
from core.curation.bank_signals import check_thresholds
from core.errors import BadInput, NotFound
from core.signal_types.enabled import SignalTypes
from core.transfer import csv_table, jsonl
from core.transfer.hash_list import HashList
from core.transfer.line import BankLine, ContentLine, Line, Numbered
from core.transfer.problem import Problem, Report

LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        added: contents that are new.
        there: contents that had been there already.
        problems: lines left out; each has been reported.
    """

    added: int
    there: int
    problems: int


class FileImport:
    """One file into banks.

    Args:
        bank: the bank for all of it, made if there is none; None: those that the file names.
        signal_type: the type of a bare list's signals; None to guess it.
        keep_ids: content keeps the id that the file gives it, or is left out if that is taken.
        report: is told of each line left out.
        progress: is told now and then how many lines have been read.
    """

    def __init__(
        self,
        catalog: Catalog,
        signal_types: SignalTypes,
        bank: str | None,
        signal_type: str | None,
        *,
        keep_ids: bool,
        report: Report,
        progress: Callable[[int], None],
    ) -> None:
        self._catalog = catalog
        self._signal_types = signal_types
        self._contents = catalog.transfer.contents
        self._bank = bank
        self._type = signal_type
        self._keep_ids = keep_ids
        self._report = report
        self._progress = progress
        self._banks: dict[str, int] = {}
        self._known: Counter[str] = Counter()
        self._bare = False
        self._added = self._there = self._problems = 0

    def run(self, file: TextIO) -> Imported:
        """Read all of `file`, of whichever form it is.

        Raises:
            BadInput: the bank's name, or `signal_type` is none that is enabled.
        """
        if self._type is not None:
            self._signal_types.get(self._type)
        lines = self._lines(file)  # before the bank is looked at, as its form matters there
        if self._bank is not None:
            self._bank_id(self._bank)
        pending: list[tuple[int, ContentState]] = []
        for number, line in lines:
            if number % AT_ONCE == 0:
                self._progress(number)
            try:
                if (state := self._taken(line)) is not None:
                    pending.append((number, state))
            except BadInput as error:
                self._refuse(number, error.message)
            if len(pending) == AT_ONCE:
                self._store(pending)
        self._store(pending)
        return Imported(self._added, self._there, self._problems)

    def _lines(self, file: TextIO) -> Iterator[Numbered]:
        """As its first line shows: an object, a header, or else a bare signal."""
        head = [file.readline()]
        while head[-1].isspace():
            head.append(file.readline())
        lines = chain(head, file)
        if head[-1].lstrip().startswith("{") and self._type is None:
            return jsonl.read(lines)
        if csv_table.is_header(head[-1]):
            return csv_table.read(lines)
        self._bare = True
        return HashList(self._signal_types.enabled(), self._type).read(lines)

    def _taken(self, line: Line | BadInput) -> ContentState | None:
        """What a line says of content; None if it speaks of a bank. Raises BadInput."""
        if isinstance(line, BadInput):
            raise line
        if isinstance(line, ContentLine):
            return self._state(line)
        if self._bank is None:
            self._bank_id(line.bank, line)
        return None

    def _state(self, line: ContentLine) -> ContentState:
        name = self._bank or line.bank
        if name is None:
            raise BadInput("it names no bank: say which with --bank")
        if not line.signals:
            raise BadInput("No signals given")
        if self._keep_ids and (line.id is None or not 0 < line.id <= LARGEST):
            raise BadInput("it has no id to keep")
        return ContentState(
            line.id if self._keep_ids else None,
            self._bank_id(name),
            tuple(sorted(map(self._signal, line.signals), key=lambda pair: pair[0])),
            _until(line.disable_until_ts),
            _uri(line.uri),
            checked_metadata(line.metadata),
            checked_note(line.note),
            labels=checked_labels(line.labels),
        )

    def _signal(self, pair: tuple[str, str]) -> tuple[str, str]:
        name, value = pair
        name = name or self._type or ""
        if name not in self._signal_types.enabled():
            raise BadInput(f"No such signal type {name}")
        try:
            return name, self._signal_types.validate(name, value)
        except BadInput as error:
            raise BadInput(f"Invalid {name} signal: {error.message}") from error

    def _bank_id(self, name: str, line: BankLine | None = None) -> int:
        """The bank of this name, made if need be; what is in it is known from then on."""
        if name not in self._banks:
            try:
                bank = self._catalog.banks.get(name)
            except NotFound:
                bank = self._make_bank(line or BankLine(name))
            self._banks[name] = bank.id
            if not self._keep_ids:
                self._known.update(map(self._key, self._contents.states([bank.id])))
        return self._banks[name]

    def _make_bank(self, line: BankLine) -> Bank:
        thresholds = line.thresholds or {}
        if not isinstance(thresholds, dict) or not all(type(v) is int for v in thresholds.values()):
            raise BadInput("thresholds should be an object of integers")
        check_thresholds(self._signal_types, thresholds)
        return self._catalog.banks.create(
            line.bank,
            line.enabled_ratio,
            allow_list=line.allow_list,
            thresholds=thresholds,
        )

    def _key(self, state: ContentState) -> str:
        """Of a bare list a content is the same if its signals are; of others if all of it is."""
        same = ContentState(None, state.bank_id, state.signals) if self._bare else state
        return replace(same, record=None).digest

    def _store(self, pending: list[tuple[int, ContentState]]) -> None:
        if self._keep_ids:
            new = self._unlike_present(pending)
        else:
            new = []
            for _, state in pending:
                key = self._key(state)
                if self._known[key] > 0:
                    self._known[key] -= not self._bare
                    self._there += 1
                else:
                    self._known[key] += self._bare
                    new.append(state)
        self._added += len(self._contents.add(new))
        pending.clear()

    def _unlike_present(self, pending: list[tuple[int, ContentState]]) -> list[ContentState]:
        """Those whose id is free. Of the others, those that are not there already are refused."""
        present = self._contents.present([state.id for _, state in pending if state.id is not None])
        new: dict[int, ContentState] = {}
        for number, state in pending:
            assert state.id is not None
            other = new.get(state.id) or present.get(state.id)
            if other is None:
                new[state.id] = state
            elif replace(other, record=None) == state:
                self._there += 1
            else:
                self._refuse(number, f"other content has the id {state.id}")
        return list(new.values())

    def _refuse(self, number: int, why: str) -> None:
        self._problems += 1
        self._report(Problem(f"line {number}", why))


def _until(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise BadInput("disable_until_ts must be a non-negative integer")
    return value


def _uri(value: object) -> str | None:
    if value is None or (isinstance(value, str) and storable(value)):
        return value
    raise BadInput("original_media_uri should be text")
