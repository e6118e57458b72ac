"""vPDQ as threatexchange has its signal types: a class that can be enabled by name."""

from pathlib import Path

from threatexchange.content_type.content_base import ContentType
from threatexchange.content_type.video import VideoContent
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.signal_base import (
    FileHasher,
    SignalComparisonResult,
    SimpleSignalType,
)

from core.hashing.pdq import Pdq
from core.hashing.vpdq import signal as vpdq


class VpdqSignal(SimpleSignalType, FileHasher):  # type: ignore[misc]
    """The signal type `vpdq`: threatexchange's, with no need of its native package."""

    @classmethod
    def get_name(cls) -> str:
        return "vpdq"

    @classmethod
    def get_content_types(cls) -> list[type[ContentType]]:
        return [VideoContent]

    @classmethod
    def validate_signal_str(cls, signal_str: str) -> str:
        return vpdq.checked(signal_str)

    @classmethod
    def hash_from_file(cls, file: Path) -> str:
        from core.hashing.media import video  # noqa: PLC0415 - matching needs no decoders

        return video.vpdq(file)

    @classmethod
    def compare_hash(cls, hash1: str, hash2: str) -> SignalComparisonResult:
        similarity = vpdq.compare(hash1, hash2)
        return SignalComparisonResult(similarity.matches, similarity)

    @staticmethod
    def get_examples() -> list[str]:
        hashes = PdqSignal.get_examples()
        return [vpdq.written(vpdq.Frame(Pdq(one, 100), float(at)) for at, one in enumerate(hashes))]
