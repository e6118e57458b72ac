"""What a lookup sees in what a request brings: its signals, and variants of its PDQ hash."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.curation import type_switch as type_ratio
from core.download.url import fetch
from core.hashing.media.image import Source
from core.hashing.variants.photo import turned
from core.services import Services
from core.settings.variant import Variant
from core.signal_types.enabled import SignalTypes
from core.signal_types.hash_content import content_type_of, hash_content
from functions.web.dependencies import Limits, in_thread
from functions.web.upload import Upload, names_of


@dataclass(frozen=True)
class Seen:
    """Signals by signal type; of a picture, variants of its PDQ hash and hashes of its crops."""

    hashes: Mapping[str, str]
    variants: Sequence[Variant] = ()
    crops: Sequence[str] = ()


@dataclass(frozen=True)
class Look:
    """What is to be seen.

    Attributes:
        types: comma-separated signal types; all if None.
        kinds: of variants.
        crops: whether crops are hashed.
        enabled: the types there are; if None, those that the index does not say are switched off.
    """

    types: str | None = None
    kinds: Collection[str] = ()
    crops: bool = False
    enabled: SignalTypes | None = None


async def see_upload(upload: Upload, services: Services, limits: Limits, look: Look) -> Seen:
    """What is seen in an upload."""
    return await in_thread(limits.hashing, _seen, services, upload.content_type, upload.file, look)


async def see_url(
    services: Services, limits: Limits, url: str, content_type: str | None, look: Look
) -> Seen:
    """What is seen in what `url` leads to."""
    fetched = await in_thread(limits.fetching, fetch, url, services.settings)
    with fetched.body as file:
        known = content_type or content_type_of(fetched.content_type)
        return await in_thread(limits.hashing, _seen, services, known, file, look)


def seen_signal(signal_type: str, signal: str, kinds: Collection[str]) -> Seen:
    """A signal, and its orientations as far as the bits of a PDQ hash allow."""
    hashes = {signal_type: signal}
    if signal_type != "pdq" or "orientation" not in kinds:
        return Seen(hashes)
    try:
        return Seen(hashes, turned(signal))
    except ValueError:  # no hash: the lookup says so
        return Seen(hashes)


def _seen(services: Services, content_type: str, file: Source, look: Look) -> Seen:
    enabled = look.enabled or type_ratio.published(services)
    hashed = hash_content(
        enabled,
        services.settings,
        content_type,
        file,
        names_of(look.types),
        kinds=look.kinds,
        crops=look.crops,
    )
    return Seen(hashed.signals, hashed.variants, hashed.crops)
