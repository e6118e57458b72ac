"""threatexchange's own matching of vPDQ, unmodified, to compare with.

Its modules import the `vpdq` package, which needs FFmpeg's headers to be built, for the hashing of
files alone. Where that is missing an empty module of its name lets the rest be imported.
"""

import importlib.util
import sys
from types import ModuleType

NATIVE = importlib.util.find_spec("vpdq") is not None
"""Whether the package itself is there, so that files can be hashed by it too."""

if not NATIVE:
    _empty = ModuleType("vpdq")
    _empty.VpdqFeature = object  # type: ignore[attr-defined]
    sys.modules["vpdq"] = _empty
try:
    from threatexchange.extensions.vpdq.vpdq import VPDQSignal
    from threatexchange.extensions.vpdq.vpdq_index import VPDQIndex
finally:
    if not NATIVE:
        del sys.modules["vpdq"]

__all__ = ["NATIVE", "VPDQIndex", "VPDQSignal"]
