"""An exchange API that says what a test tells it to, as somebody else might have written it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from threatexchange.exchanges import auth
from threatexchange.exchanges.collab_config import CollaborationConfigBase
from threatexchange.exchanges.fetch_state import (
    FetchCheckpointBase,
    FetchDelta,
    FetchedSignalMetadata,
    NoCheckpointing,
)
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI
from threatexchange.signal_type.signal_base import SignalType

SECRET = "s3cret/with ümlaut&more"


@dataclass
class Record(FetchedSignalMetadata):  # type: ignore[misc]
    """A record with any number of signals, as (type, value)."""

    signals: list[tuple[str, str]] = field(default_factory=list)
    seen: int = 1


@dataclass
class Position(FetchCheckpointBase):  # type: ignore[misc]
    """How much of the log has been read, of which epoch."""

    position: int = 0
    epoch: int = 0


@dataclass
class Credentials(auth.CredentialHelper):  # type: ignore[misc]
    token: str

    def _are_valid(self) -> bool:
        return bool(self.token)


def pdq(number: int) -> str:
    return f"{number:064x}"


def of(*numbers: int) -> Record:
    """A record with a PDQ signal for each number."""
    return Record([("pdq", pdq(number)) for number in numbers])


@dataclass
class Scripted:
    """What the exchange says.

    Attributes:
        log: keys and records in their order, None for what is gone. Survives for ever.
        page: entries of the log in a delta.
        epoch: checkpoints of another one are stale.
        whole: it has no checkpoints, and hands out all of the log each time.
        before: called before each page, with the position; may raise or change things.
        merge: how a record is merged with what it was, if it is.
        asked: positions that a fetch was begun at, -1 for none.
        told: opinions it was told.
        on_report: called when it is told.
    """

    log: list[tuple[Any, Any]] = field(default_factory=list)
    page: int = 10
    epoch: int = 0
    whole: bool = False
    before: Callable[[int], object] = lambda _: None
    merge: Callable[[Any, Any], Any] | None = None
    asked: list[int] = field(default_factory=list)
    told: list[tuple[Any, Any, str]] = field(default_factory=list)
    on_report: Callable[[], object] = lambda: None

    def says(self, **records: Any) -> None:
        """Add records by key; numbers become records of those signals."""
        for key, value in records.items():
            known = of(value) if isinstance(value, int) else value
            self.log.append((key, known))

    def live(self) -> list[str]:
        """The PDQ signals of all records that are not gone, one for each time."""
        records = dict(self.log)
        return sorted(
            value
            for record in records.values()
            if isinstance(record, Record)
            for name, value in record.signals
            if name == "pdq"
        )


class _Scripted(
    auth.SignalExchangeWithAuth[CollaborationConfigBase, Credentials],  # type: ignore[misc]
    SignalExchangeAPI[CollaborationConfigBase, Position, Record, str, Record],  # type: ignore[misc]
):
    script: Scripted

    def __init__(self, token: str) -> None:
        self.token = token

    @classmethod
    def get_name(cls) -> str:
        return "scripted"

    @classmethod
    def for_collab(cls, _: Any, credentials: Credentials | None = None) -> "_Scripted":
        assert credentials is not None
        return cls(credentials.token)

    @staticmethod
    def get_config_cls() -> type[CollaborationConfigBase]:
        return CollaborationConfigBase  # type: ignore[no-any-return]

    @staticmethod
    def get_checkpoint_cls() -> type[Position]:
        return Position

    @staticmethod
    def get_record_cls() -> type[Record]:
        return Record

    @staticmethod
    def get_credential_cls() -> type[Credentials]:
        return Credentials

    def fetch_iter(
        self, _: Sequence[type[SignalType]], checkpoint: Position | None
    ) -> Iterator[FetchDelta]:
        script = self.script
        start = checkpoint.position if checkpoint else 0
        script.asked.append(start if checkpoint else -1)
        while True:
            script.before(start)
            page = script.log[start : start + script.page]
            start += len(page)
            here = self.get_checkpoint_cls()
            yield FetchDelta(
                dict(page), NoCheckpointing() if script.whole else here(start, script.epoch)
            )
            if start >= len(script.log):
                return

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        collab: Any,
        fetched: Mapping[str, Record],
    ) -> dict[type[SignalType], dict[str, Record]]:
        by_name = {one.get_name(): one for one in signal_types}
        found: dict[type[SignalType], dict[str, Record]] = {}
        for record in fetched.values():
            for name, value in record.signals:
                if name in by_name:
                    found.setdefault(by_name[name], {})[value] = record
        return found

    def report(self, key: str, record: Record, opinion: str) -> None:
        self.script.on_report()
        self.script.told.append((key, record, opinion))


def api_of(script: Scripted) -> type[Any]:
    """The API that says what `script` has."""

    @dataclass
    class Here(Position):
        def is_stale(self) -> bool:
            return self.epoch != script.epoch

    class Api(_Scripted):
        @staticmethod
        def get_checkpoint_cls() -> type[Position]:
            return Here

    class Merging(Api):
        @classmethod
        def fetch_value_merge(cls, old: Any, new: Any) -> Any:
            assert script.merge is not None
            return script.merge(old, new)

    made = Merging if script.merge else Api
    made.script = script
    return made
