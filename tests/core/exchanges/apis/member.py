"""A member of an exchange: what anyone who fetches keeps, and no more."""

import json
from collections.abc import Generator
from typing import Any

from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal

from core.exchanges.apis import BUILT_IN
from core.exchanges.apis.connection import Remote
from core.exchanges.convert import typed_key, typed_record
from core.exchanges.dataclass_json import as_json, from_json
from core.exchanges.poison import Poisoned
from core.signal_types.extension import load_classes
from local_runtime.demo.fake_exchanges import FakeExchange

TYPES = [PdqSignal, VideoMD5Signal]


class Member:
    """Fetches from `fake` into dictionaries, and remembers a checkpoint as JSON.

    Attributes:
        records: what is known, by key.
        poisoned: what was set aside, by key.
        checkpoint: as JSON text, None before the first delta.
        deltas: how many there have been.
    """

    def __init__(self, fake: FakeExchange, timeout: float = 5.0) -> None:
        self.api = api_of(fake, timeout)
        self.records: dict[Any, Any] = {}
        self.poisoned: dict[Any, Poisoned] = {}
        self.checkpoint: str | None = None
        self.deltas = 0
        kind = self.api.get_config_cls()
        fields = {**fake.config(), "name": "X", "api": fake.NAME, "enabled": True}
        self.config = from_json(fields, kind)
        self.credentials = from_json(fake.credentials(), self.api.get_credential_cls())

    def client(self) -> Any:
        """A fresh one, as each process has."""
        return self.api.for_collab(self.config, self.credentials)

    def fetch(self, deltas: int | None = None) -> None:
        """Fetch to the end, or be killed after so many deltas."""
        for delta in self.pulled():
            if deltas is not None:
                deltas -= 1
                if not deltas:
                    return
            del delta

    def pulled(self) -> Generator[Any, None, None]:
        """Each delta, once it is kept."""
        start = None
        if self.checkpoint is not None:
            start = from_json(json.loads(self.checkpoint), self.api.get_checkpoint_cls())
            assert not start.is_stale()
        for delta in self.client().fetch_iter(TYPES, start):
            for key, record in delta.updates.items():
                self._keep(key, record)
            self.checkpoint = json.dumps(as_json(delta.checkpoint))
            self.deltas += 1
            yield delta

    def report(self, key: Any, opinion: str) -> None:
        """Tell the exchange what we found of a record, which by now has been stored as JSON."""
        stored = json.loads(json.dumps({"key": as_json(key), "value": as_json(self.records[key])}))
        record = typed_record(self.api, stored["value"])
        self.client().report(typed_key(stored["key"]), record, opinion)

    def live(self) -> set[tuple[str, str]]:
        """Type and signal of all that would match."""
        found = self.api.naive_convert_to_signal_type(TYPES, self.config, self.records)
        return {(kind.get_name(), signal) for kind, signals in found.items() for signal in signals}

    def _keep(self, key: Any, record: Any) -> None:
        self.records.pop(key, None)
        self.poisoned.pop(key, None)
        if isinstance(record, Poisoned):
            self.poisoned[key] = record
            record = record.record
        if record is not None and self._converts(key, record):
            self.records[key] = record

    def _converts(self, key: Any, record: Any) -> bool:
        try:
            self.api.naive_convert_to_signal_type(TYPES, self.config, {key: record})
        except ValueError as error:
            self.poisoned[key] = Poisoned(str(error), "")
            return False
        return True


def api_of(fake: FakeExchange, timeout: float = 5.0) -> Any:
    """Our class for the exchange that `fake` speaks like, asking it instead."""
    (api,) = load_classes([fake.NAME], BUILT_IN, Remote, "test")
    return api.at(fake.url, timeout)
