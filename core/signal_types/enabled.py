"""Which signal types and content types there are, and which of them are enabled.

Types are classes of threatexchange's interfaces, used unmodified: those that come with it by
name, anybody's by `module:Class`, and whole extension packages by the name of the module that
holds their `TX_MANIFEST`. Their code is not ours, so what it raises is translated here.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from threatexchange.content_type.content_base import ContentType
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.signal_base import (
    FileHasher,
    SignalComparisonResult,
    SignalType,
)

from core.errors import BadInput
from core.settings import Settings
from core.signal_types.extension import index_by_name, load_classes, load_manifest
from core.signal_types.index_kind import IndexKind, index_kind

SIGNAL_TYPES = MappingProxyType(
    {
        "pdq": "threatexchange.signal_type.pdq.signal:PdqSignal",
        "pdq_ocr": "threatexchange.extensions.pdq_ocr.pdq_ocr:PdqOcrSignal",
        "raw_text": "threatexchange.signal_type.raw_text:RawTextSignal",
        "text_tlsh": "threatexchange.extensions.tlsh.text_tlsh:TextTLSHSignal",
        "trend_query": "threatexchange.signal_type.trend_query:TrendQuerySignal",
        "url": "threatexchange.signal_type.url:URLSignal",
        "url_md5": "threatexchange.signal_type.url_md5:UrlMD5Signal",
        "video_md5": "threatexchange.signal_type.md5:VideoMD5Signal",
        "video_sha256": "threatexchange.signal_type.sha256:VideoSHA256Signal",
        "vpdq": "core.signal_types.vpdq:VpdqSignal",
    }
)
"""The signal types that come with threatexchange. Some need packages of their own to work.

Its `vpdq` cannot even be imported without one, so that is ours, with its signals and its rule.
"""

# Without its `FileContent`: nothing has signals of it, and HMA's clients that name a form's field
# `file` rely on being told that there is no such content type.
CONTENT_TYPES = MappingProxyType(
    {
        "photo": "threatexchange.content_type.photo:PhotoContent",
        "text": "threatexchange.content_type.text:TextContent",
        "url": "threatexchange.content_type.url:URLContent",
        "video": "threatexchange.content_type.video:VideoContent",
    }
)
"""The content types that come with threatexchange."""


@dataclass(frozen=True)
class SignalTypes:
    """The enabled types of one deployment, each under the name it gives itself.

    Attributes:
        signal_types: enabled signal types by name.
        content_types: enabled content types by name.
    """

    signal_types: Mapping[str, type[SignalType]]
    content_types: Mapping[str, type[ContentType]]

    @classmethod
    def from_settings(cls, settings: Settings) -> "SignalTypes":
        """Those that `settings` name, and all that the extensions of `settings` bring.

        Raises:
            Misconfigured: one of them cannot be loaded, or two have the same name.
        """
        signals = [
            *load_classes(settings.signal_types, SIGNAL_TYPES, SignalType, "HMA_SIGNAL_TYPES")
        ]
        contents = [
            *load_classes(settings.content_types, CONTENT_TYPES, ContentType, "HMA_CONTENT_TYPES")
        ]
        for extension in map(load_manifest, settings.extensions):
            signals += extension.signal_types
            contents += extension.content_types
        return cls(index_by_name(signals), index_by_name(contents))

    def without(self, names: Collection[str]) -> "SignalTypes":
        """The same, but for the signal types `names`, which are not enabled there."""
        if not names:
            return self
        types = self.signal_types.items()
        kept = {name: signal_type for name, signal_type in types if name not in names}
        return SignalTypes(MappingProxyType(kept), self.content_types)

    def enabled(self) -> Collection[str]:
        """The names of the enabled signal types."""
        return self.signal_types.keys()

    def get(self, name: str) -> type[SignalType]:
        """The enabled signal type `name`.

        Raises:
            BadInput: there is none, or it is not enabled.
        """
        if name in self.signal_types:
            return self.signal_types[name]
        if name in SIGNAL_TYPES:
            raise BadInput(f"SignalType '{name}' is not enabled")
        raise BadInput(f"No such SignalType '{name}'")

    def get_content(self, name: str) -> type[ContentType]:
        """The enabled content type `name`.

        Raises:
            BadInput: there is none, or it is not enabled.
        """
        if name in self.content_types:
            return self.content_types[name]
        if name in CONTENT_TYPES:
            raise BadInput(f"content_type {name} is disabled")
        raise BadInput(f"no such content_type: '{name}'")

    def hashers(self, content_type: str) -> dict[str, type[SignalType]]:
        """The enabled signal types, by name, that files of `content_type` can be hashed to.

        Raises:
            BadInput: no such content type, or it is not enabled.
        """
        content = self.get_content(content_type)
        return {
            name: signal_type
            for name, signal_type in self.signal_types.items()
            if issubclass(signal_type, FileHasher) and content in signal_type.get_content_types()
        }

    def kind(self, name: str) -> IndexKind:
        """How signals of this type are indexed.

        Raises:
            BadInput: no such signal type, or it is not enabled.
        """
        return index_kind(self.get(name))

    def is_quick(self, name: str) -> bool:
        """Whether a lookup of one signal is short enough for an event loop to wait for."""
        return self.kind(name).quick

    def threshold(self, name: str) -> int:
        """The largest distance that matches, inclusive; 0 where distances are not bits."""
        return self.kind(name).threshold

    def check_threshold(self, name: str, threshold: int) -> None:
        """Refuse a threshold that would say nothing, or too much, about signals of this type.

        Raises:
            BadInput: its distances are not bits, or it never matches that far away.
        """
        if not self.kind(name).adjustable:
            raise BadInput(f"signals of type {name} have no distance in bits, and so no threshold")
        if not 0 <= threshold <= self.threshold(name):
            raise BadInput(f"the threshold of {name} must be between 0 and {self.threshold(name)}")

    def validate(self, name: str, signal: str) -> str:
        """`signal` in the form in which it is stored and compared.

        Validating what this returns gives it back unchanged.

        Raises:
            BadInput: it is no signal of this type; the message is the bare reason.
        """
        signal_type = self.get(name)
        try:
            normalised = str(signal_type.validate_signal_str(signal)).strip()
        except Exception as error:
            raise BadInput(_reason(error)) from error
        if signal_type is PdqSignal:
            if not re.fullmatch("[0-9a-f]{64}", signal):
                raise BadInput("invalid PDQ hash")  # the type's own pattern lets a newline pass
            return normalised
        if not normalised:
            raise BadInput("empty hash")
        self._check_comparable(signal_type, normalised)
        if "\0" in normalised or not _encodable(normalised):
            raise BadInput("signals must be Unicode text without NUL characters")
        return normalised

    @staticmethod
    def _check_comparable(signal_type: type[SignalType], signal: str) -> None:
        """Refuse what a scan of all signals of its type would fail at, whatever is asked for."""
        if signal_type.get_index_cls() is None and hasattr(signal_type, "compare_hash"):
            try:
                signal_type.compare_hash(signal, signal)
            except Exception as error:
                raise BadInput(_reason(error)) from error

    def compare(self, name: str, first: str, second: str) -> SignalComparisonResult:
        """Whether two validated signals match, and how far apart they are.

        Raises:
            BadInput: this type has no comparison, or its comparison failed.
        """
        signal_type = self.get(name)
        compare = getattr(signal_type, "compare_hash", None) or getattr(
            signal_type, "matches_str", None
        )
        if compare is None:
            raise BadInput(f"signals of type {name} cannot be compared with each other")
        try:
            return compare(first, second)
        except Exception as error:
            raise BadInput(_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
