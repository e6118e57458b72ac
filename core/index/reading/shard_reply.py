"""What a shard answers a router, as it goes over the wire: JSON, checked when it arrives."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.errors import Unavailable
from core.index.reading.lookup_index import SearchResult
from core.settings.shard import Shard


@dataclass(frozen=True)
class ShardReply:
    """An answer from one share of the index.

    Attributes:
        shard: which share it is.
        result: what is near each signal in that share.
        size: number of live contents in its share; 0 unless asked for.
    """

    shard: Shard
    result: SearchResult
    size: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "ShardReply":
        """The reply whose JSON `data` is.

        Raises:
            Unavailable: it is none.
        """
        try:
            return _replies.validate_python(json.loads(data))
        except (ValueError, ValidationError, RecursionError) as error:
            raise Unavailable("answers what no shard of this version would") from error


_replies = TypeAdapter(ShardReply)
