"""Hashing content: a file of some content type to its signals, one of each signal type.

PDQ and vPDQ are our own; the other types hash by their own code. What cannot be hashed is the
sender's mistake, whatever that code raises.
"""

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.signal_base import BytesHasher, SignalType

from core.errors import BadInput, Unavailable
from core.hashing import jpeg, pdq
from core.hashing.media import video
from core.hashing.media.image import Source, decode, frames, is_ours, plain_jpeg
from core.hashing.variants import photo
from core.hashing.variants.photo import SIDE, Luma
from core.settings import Settings
from core.settings.variant import Variant
from core.signal_types.enabled import SignalTypes
from core.signal_types.vpdq import VpdqSignal

T = TypeVar("T")

LEAST_QUALITY = 50
"""Below it a PDQ hash says too little to be matched, and the signal is empty."""

FAST_LEAST = 512
"""Pixels of the shorter side at which PDQ sees nearly what it sees at full size: 2 bits off."""


@dataclass(frozen=True)
class HashedContent:
    """What content hashes to.

    Attributes:
        signals: by signal type; `""` where the content has too little in it for that type.
        variants: what else a photo may have been, as PDQ hashes.
        crops: the PDQ hashes of the crops that people make of a photo.
    """

    signals: Mapping[str, str]
    variants: Sequence[Variant] = ()
    crops: Sequence[str] = ()


def hash_content(
    types: SignalTypes,
    settings: Settings,
    content_type: str,
    source: Source,
    wanted: Collection[str] | None = None,
    *,
    kinds: Collection[str] = (),
    crops: bool = False,
) -> HashedContent:
    """The signals of `source`: of those signal types `wanted`, or of all that apply to it.

    A path is handed on, so that a type that streams never has the whole of a large file in memory.

    Args:
        kinds: the kinds of variants to hash too, of a photo with a PDQ signal.
        crops: whether to hash the crops of such a photo too.

    Raises:
        BadInput: no such content type or signal type, or the content cannot be hashed.
        TooLarge: it has more pixels, or takes more time, than the settings allow.
        Unavailable: this machine is at fault, for want of space on its disk, say.
    """
    selected = _selected(types.hashers(content_type), wanted)
    signals = {name: _signal(name, types.get(name), source, settings) for name in selected}
    if content_type != "photo" or "pdq" not in signals:
        return HashedContent(signals)
    return HashedContent(
        signals,
        _variants(source, settings, kinds),
        _crops(source, settings) if crops else (),
    )


def photo_pdq(source: Source, settings: Settings) -> pdq.Pdq:
    """The PDQ of an image, in the mode that the settings say.

    In mode `fast` a JPEG is read no further than need be, unless what is seen then leaves open what
    the hash would be.

    Raises:
        BadInput, TooLarge, Unavailable: as `core.hashing.media.image.decode`.
    """
    fast = settings.pdq_mode == "fast"
    if found := _of_jpeg(source, settings.max_pixels, fast):
        return found
    if fast:
        picture = decode(source, settings.max_pixels, FAST_LEAST)
        if not picture.reduced:
            return pdq.compute(picture, LEAST_QUALITY)
        if found := pdq.approximate(picture, picture.full):
            return found
    return pdq.compute(decode(source, settings.max_pixels), LEAST_QUALITY)


def _of_jpeg(source: Source, max_pixels: int, fast: bool) -> pdq.Pdq | None:
    """The PDQ of a plain JPEG; None of anything else."""
    if (opened := plain_jpeg(source, max_pixels)) is None:
        return None
    content, size, orientation = opened
    with suppress(NotImplementedError):
        keep = pdq.frequencies_needed(size)
        if fast and keep <= jpeg.BLOCK:
            lowest = jpeg.frequencies(content, keep)
            if found := pdq.approximate(lowest, size, keep, orientation):
                return found
        if found := pdq.by_matrix(jpeg.Luma(content), LEAST_QUALITY, orientation):
            return found
        upright = jpeg.Luma(content) if orientation == 1 else decode(source, max_pixels)
        return pdq.by_definition(upright)
    return None


def content_type_of(header: str | None) -> str:
    """The content type that an HTTP `Content-Type` stands for.

    Raises:
        BadInput: it is neither an image nor a video, or absent.
    """
    for start, content_type in ("image", "photo"), ("video", "video"):
        if header and header.lower().startswith(start):
            return content_type
    raise BadInput(
        f"unsupported url ContentType: '{header or ''}', if you know the expected type, "
        "provide it with the content_type query param"
    )


def _selected(hashers: Collection[str], wanted: Collection[str] | None) -> Collection[str]:
    names = hashers if wanted is None else [name.strip() for name in wanted if name.strip()]
    for name in names:
        if name not in hashers:
            raise BadInput(f"signal type '{name}' doesn't exist or is disabled")
    if not names:
        raise BadInput("empty signal type selection")
    return names


def _signal(name: str, signal_type: type[SignalType], source: Source, settings: Settings) -> str:
    if signal_type is PdqSignal:
        found = photo_pdq(source, settings)
        return found.hash if found.quality >= LEAST_QUALITY else ""
    if signal_type is VpdqSignal:
        return video.vpdq(source, settings.max_pixels, settings.max_video_seconds)
    if isinstance(source, bytes) and issubclass(signal_type, BytesHasher):
        return _hashed(name, signal_type.hash_from_bytes, source)
    with _on_disk(source) as path:
        return _hashed(name, signal_type.hash_from_file, path)


def _hashed(name: str, hasher: Callable[[T], str], content: T) -> str:
    try:
        return str(hasher(content))
    except Exception as error:
        why = str(error) or type(error).__name__
        if is_ours(error):
            raise Unavailable(f"the content cannot be hashed to {name} now: {why}") from error
        raise BadInput(f"the content cannot be hashed to {name}: {why}") from error


@contextmanager
def _on_disk(source: Source) -> Iterator[Path]:
    if isinstance(source, Path):
        yield source
        return
    with ExitStack() as files:
        try:
            file = files.enter_context(tempfile.NamedTemporaryFile(prefix="hma-"))
            if isinstance(source, bytes):
                file.write(source)
            else:
                source.seek(0)
                shutil.copyfileobj(source, file)
            file.flush()
        except OSError as error:  # a full disk, mostly
            raise Unavailable(f"the content cannot be kept to be hashed: {error}") from error
        yield Path(file.name)


def _variants(source: Source, settings: Settings, kinds: Collection[str]) -> list[Variant]:
    others = _frames(source, settings) if "frame" in kinds else []
    of_the_first = set(kinds) - {"frame"}
    return (photo.variants(_luma(source, settings), kinds) if of_the_first else []) + others


def _frames(source: Source, settings: Settings) -> list[Variant]:
    found: dict[str, Variant] = {}
    for number, picture in enumerate(frames(source, settings.max_pixels), start=2):
        seen = pdq.compute(picture, LEAST_QUALITY)
        if seen.quality >= LEAST_QUALITY:
            found.setdefault(seen.hash, Variant("frame", f"frame {number}", seen.hash))
    return list(found.values())


def _crops(source: Source, settings: Settings) -> list[str]:
    return photo.crops(_luma(source, settings))


def _luma(source: Source, settings: Settings) -> Luma:
    picture = decode(source, settings.max_pixels, SIDE)
    levels = picture.luma(SIDE)
    return Luma.of(levels, round(picture.shape[1] / levels.shape[1]))
