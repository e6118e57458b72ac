"""Classes of other people: by their name, by `module:Class`, or through an extension's manifest."""

import functools
import importlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest

from core.errors import Misconfigured

T = TypeVar("T")


def load_classes(
    names: Iterable[str], known: Mapping[str, str], base: type[T], setting: str
) -> Iterator[type[T]]:
    """The class of each of `names`, which are keys of `known` or paths.

    Raises:
        Misconfigured: one is neither, cannot be imported, or is not a `base`.
    """
    for name in names:
        path = name if ":" in name else known.get(name)
        if path is None:
            raise Misconfigured(
                f"{setting}: there is no {name!r}. "
                f"Use any of {', '.join(known)}, or module:Class for one of your own."
            )
        module, _, attribute = path.partition(":")
        try:
            loaded: Any = getattr(importlib.import_module(module), attribute)
        except Exception as error:
            raise Misconfigured(f"{setting}: {name!r} cannot be loaded: {error}") from error
        if not (inspect.isclass(loaded) and issubclass(loaded, base)):
            raise Misconfigured(f"{setting}: {name!r} is not a {base.__name__}")
        yield loaded


@functools.cache  # setting one up may take long, and both its types and its APIs are asked for
def load_manifest(module: str) -> ThreatExchangeExtensionManifest:
    """The manifest of an extension, set up and verified as threatexchange's own command does.

    Raises:
        Misconfigured: there is none, or it cannot be set up.
    """
    try:
        manifest = ThreatExchangeExtensionManifest.load_from_module_name(module)
        manifest.bootstrap()
        manifest.verify()
    except Exception as error:
        why = f"{error} ({error.__context__})" if error.__context__ else str(error)
        raise Misconfigured(f"HMA_EXTENSIONS: {module!r} cannot be loaded: {why}") from error
    return manifest


def index_by_name(types: Iterable[Any]) -> Mapping[str, Any]:
    """Each of `types` under the name it gives itself.

    Raises:
        Misconfigured: two have the same name.
    """
    by_name: dict[str, Any] = {}
    for cls in types:
        name = cls.get_name()
        if by_name.setdefault(name, cls) is not cls:
            other = by_name[name]
            raise Misconfigured(
                f"two types call themselves {name!r}: "
                f"{other.__module__}:{other.__name__} and {cls.__module__}:{cls.__name__}"
            )
    return MappingProxyType(by_name)
