"""Hashing content: a file of some content type to its signals, one of each signal type.

PDQ and vPDQ are our own; the other types hash by their own code. What cannot be hashed is the
sender's mistake, whatever that code raises.
"""

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.signal_base import BytesHasher, SignalType

from core.errors import BadInput, TooLarge, Unavailable
from core.hashing.checkpoint import go_on
from core.hashing.hash_photo import PhotoHashes, hash_photo
from core.hashing.media.media_source import MediaSource, is_machine_fault, open_source
from core.hashing.pdq import LEAST_QUALITY
from core.hashing.vpdq.hash_video import hash_video
from core.settings import Settings
from core.settings.variant import Variant
from core.signal_types.enabled import SignalTypes
from core.signal_types.vpdq import VpdqSignal

T = TypeVar("T")


@dataclass(frozen=True)
class HashedContent:
    """What content hashes to.

    Attributes:
        signals: by signal type; `""` where the content has too little in it for that type.
        variants: what else a photo may have been, as PDQ hashes.
        crops: the PDQ hashes of the crops that people make of a photo.
        failures: by signal type why there is none of it, where some types were enough.
    """

    signals: Mapping[str, str]
    variants: Sequence[Variant] = ()
    crops: Sequence[str] = ()
    failures: Mapping[str, BadInput | TooLarge] = field(default_factory=dict)

    def tellable(self) -> "HashedContent":
        """The same with those signals alone that tell the content from others; else all of them.

        A type that the content has too little in it for is then a failure like any other.
        """
        told = {
            name: signal
            for name, signal in self.signals.items()
            if signal or (name == "pdq" and self.variants)
        }
        if not told:
            return self
        empty = {
            name: BadInput(f"there is too little in the content for a signal of type {name}")
            for name in self.signals.keys() - told.keys()
        }
        return replace(self, signals=told, failures={**self.failures, **empty})


def hash_content(
    types: SignalTypes,
    settings: Settings,
    content_type: str,
    source: MediaSource,
    wanted: Collection[str] | None = None,
    *,
    kinds: Collection[str] = (),
    crops: bool = False,
    partial: bool = False,
    between_steps: Callable[[], None] = go_on,
) -> HashedContent:
    """The signals of `source`: of those signal types `wanted`, or of all that apply to it.

    A path is handed on, so that a type that streams never has the whole of a large file in memory.

    Args:
        kinds: the kinds of variants to hash too, of a photo with a PDQ signal.
        crops: whether to hash the crops of such a photo too.
        partial: whether a type that the content cannot be hashed to takes nothing from the others.
            If it is so of all of them, the first says why.
        between_steps: called between steps of the work, of which each may take seconds; what it
            raises ends the work.

    Raises:
        BadInput: no such content type or signal type, or the content cannot be hashed.
        TooLarge: it has more pixels, or takes more time, than the settings allow.
        Unavailable: this machine is at fault, for want of space on its disk, say.
    """
    if content_type != "photo":
        kinds, crops = (), False
    signals: dict[str, str] = {}
    failures: dict[str, BadInput | TooLarge] = {}
    photo: PhotoHashes | None = None
    for name in _select(types.hashers(content_type), wanted):
        between_steps()
        try:
            if types.get(name) is PdqSignal:
                photo = hash_photo(
                    source, settings, kinds, crops=crops, between_steps=between_steps
                )
                signals[name] = photo.pdq.hash if photo.pdq.quality >= LEAST_QUALITY else ""
            else:
                signals[name] = _hash(name, types.get(name), source, settings, between_steps)
        except (BadInput, TooLarge) as error:
            if not partial:
                raise
            failures[name] = error
    if not signals:
        raise next(iter(failures.values()))
    if photo is None:
        return HashedContent(signals, failures=failures)
    return HashedContent(signals, photo.variants, photo.crops, failures)


def _select(hashers: Collection[str], wanted: Collection[str] | None) -> Collection[str]:
    names = hashers if wanted is None else dict.fromkeys(map(str.strip, wanted))
    names = [name for name in names if name]
    for name in names:
        if name not in hashers:
            raise BadInput(f"signal type '{name}' doesn't exist or is disabled")
    if not names:
        raise BadInput("empty signal type selection")
    return names


def _hash(
    name: str,
    signal_type: type[SignalType],
    source: MediaSource,
    settings: Settings,
    between_steps: Callable[[], None],
) -> str:
    if signal_type is VpdqSignal:
        seconds = settings.max_video_seconds
        return hash_video(source, settings.max_pixels, seconds, between_steps=between_steps)
    if isinstance(source, bytes) and issubclass(signal_type, BytesHasher):
        return _run_hasher(name, signal_type.hash_from_bytes, source)
    with _on_disk(source) as path:
        return _run_hasher(name, signal_type.hash_from_file, path)


def _run_hasher(name: str, hasher: Callable[[T], str], content: T) -> str:
    try:
        return str(hasher(content))
    except Exception as error:
        why = str(error) or type(error).__name__
        if is_machine_fault(error):
            raise Unavailable(f"the content cannot be hashed to {name} now: {why}") from error
        raise BadInput(f"the content cannot be hashed to {name}: {why}") from error


@contextmanager
def _on_disk(source: MediaSource) -> Iterator[Path]:
    if isinstance(source, Path):
        yield source
        return
    with ExitStack() as files:
        try:
            file = files.enter_context(tempfile.NamedTemporaryFile(prefix="hma-"))
            shutil.copyfileobj(files.enter_context(open_source(source)), file)
            file.flush()
        except OSError as error:  # a full disk, mostly
            raise Unavailable(f"the content cannot be kept to be hashed: {error}") from error
        yield Path(file.name)
