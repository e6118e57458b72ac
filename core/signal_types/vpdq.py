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

from core.hashing import vpdq
from core.hashing.pdq import Pdq


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
        return vpdq.normalise_signal(signal_str)

    @classmethod
    def hash_from_file(cls, file: Path) -> str:
        from core.hashing.vpdq.hash_video import hash_video  # noqa: PLC0415 - needs decoders

        return hash_video(file)

    @classmethod
    def compare_hash(cls, hash1: str, hash2: str) -> SignalComparisonResult:
        similarity = vpdq.compare(hash1, hash2)
        return SignalComparisonResult(similarity.matches, similarity)

    @staticmethod
    def get_examples() -> list[str]:
        hashes = PdqSignal.get_examples()
        frames = (vpdq.Frame(Pdq(pdq, 100), float(at)) for at, pdq in enumerate(hashes))
        return [vpdq.write_signal(frames)]
