"""Bare lists: a signal a line, nothing else. Empty lines and those that begin with # say nothing.

Their types are guessed from their form where only one of the enabled types has it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import BadInput
from core.transfer.line import ContentLine, Line, Numbered

FORMS: Mapping[str, str] = MappingProxyType(
    {
        "pdq": "[0-9a-f]{64}",
        "text_tlsh": "t1[0-9a-f]{70}",
        "url": "https?://.+",
        "url_md5": "[0-9a-f]{32}",
        "video_md5": "[0-9a-f]{32}",
        "video_sha256": "[0-9a-f]{64}",
    }
)
"""What signals of a type look like, in any case."""

HEX = ("pdq", "url_md5", "video_md5", "video_sha256")
"""Types whose digits some lists write in upper case, and which are stored in lower case."""


@dataclass(frozen=True)
class HashList:
    """Reads bare lists.

    Attributes:
        enabled: the signal types that may be guessed.
        signal_type: the type of all of them, if that is known.
    """

    enabled: Collection[str]
    signal_type: str | None = None

    def read(self, lines: Iterable[str]) -> Iterator[Numbered]:
        """Each of `lines` that says something."""
        for number, text in enumerate(lines, 1):
            signal = text.strip()
            if signal and not signal.startswith("#"):
                yield number, self._line(signal)

    def _line(self, signal: str) -> Line | BadInput:
        try:
            name = self.signal_type or self._guess(signal)
        except BadInput as error:
            return error
        return ContentLine(None, None, ((name, signal.lower() if name in HEX else signal),))

    def _guess(self, signal: str) -> str:
        candidates = [
            name
            for name, form in FORMS.items()
            if name in self.enabled and re.fullmatch(form, signal, re.IGNORECASE)
        ]
        match candidates:
            case [name]:
                return name
            case []:
                raise BadInput(
                    f"{signal[:80]!r} has the form of no enabled signal type: say which with --type"
                )
        raise BadInput(f"it may be {' or '.join(candidates)}: say which with --type")
