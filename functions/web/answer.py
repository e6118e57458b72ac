"""How answers look on the wire: JSON as clients of the contract read it, and what rides in headers.

Knows nothing of what is answered.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.responses import JSONResponse

Hashes = dict[str, str]
"""Signals by signal type."""

SnapshotNumbers = dict[str, int]
"""Snapshot numbers by signal type."""


class Json(JSONResponse):
    """Sorted keys, compact, ASCII, a newline at the end."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return f"{text}\n".encode()


def not_hashed(signal_types: Iterable[str]) -> dict[str, str]:
    """The header naming the signal types that content could not be hashed to: `vpdq, …`.

    Nothing is known of them, while the answer has what the others gave.
    """
    names = ", ".join(sorted(signal_types))
    return {"X-HMA-Not-Hashed": names} if names else {}


def at(snapshots: Mapping[str, int]) -> dict[str, str]:
    """The header naming the snapshot of each signal type in an answer: `pdq=12, video_md5=3`.

    Sent back as `min_snapshot`, it makes a lookup see at least what this answer saw.
    """
    if not snapshots:
        return {}
    return {"X-HMA-Snapshot": ", ".join(f"{name}={n}" for name, n in sorted(snapshots.items()))}
