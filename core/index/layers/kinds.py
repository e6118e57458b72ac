"""All kinds of layers. One more is a file beside this one and a line in `KINDS`.

Which signal types have it is for `core.signal_types.index_kind` to say.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from core.errors import SegmentCorrupt
from core.index.layers.binary import BinaryKind
from core.index.layers.exact import ExactKind
from core.index.layers.frames import FramesKind
from core.index.layers.generic import GenericKind
from core.index.layers.kind import LayerKind

KINDS: Mapping[str, LayerKind[Any]] = MappingProxyType(
    {kind.name: kind for kind in (BinaryKind(), ExactKind(), FramesKind(), GenericKind())}
)
"""By name."""


def layer_kind(name: str) -> LayerKind[Any]:
    """The kind that segments, and signal types, call `name`.

    Raises:
        SegmentCorrupt: there is none in this version.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise SegmentCorrupt(f"this version cannot read segments of kind {name!r}") from None
