"""Signal types that are switched off at run time, and on again: HMA's `enabled_ratio` of a type.

As in HMA a type is enabled unless its ratio is 0. The catalog keeps it, and the snapshots of the
type carry it to functions that open no database. A type that is off is neither hashed, matched
nor banked; what is banked of it stays, and matches again when it is on.
"""

import time
from typing import Any

from core.errors import BadInput, HmaError, IndexNotReady, NotFound
from core.services import Services
from core.signal_types.enabled import SignalTypes


def every(services: Services) -> dict[str, float]:
    """The ratio of every signal type of this deployment, by name."""
    given = services.catalog.exchanges.overrides()
    return {name: given.get(name, 1.0) for name in services.signal_types.enabled()}


def change(services: Services, signal_type: str, given: Any) -> None:
    """Give a signal type a ratio, which its next snapshot will say.

    Raises:
        NotFound: no such type.
        BadInput: it is no ratio.
    """
    if signal_type not in services.signal_types.enabled():
        raise NotFound(f"No such signal type '{signal_type}'")
    if given is None:
        raise BadInput("enabled_ratio is required")
    try:
        ratio = float("" if isinstance(given, bool) else given)
    except (TypeError, ValueError) as error:
        raise BadInput(f"Invalid float: {given!r}") from error
    services.catalog.exchanges.override(signal_type, ratio)


def banked(services: Services) -> SignalTypes:
    """The types that are on, as the catalog says."""
    given = services.catalog.exchanges.overrides()
    return services.signal_types.without({name for name, ratio in given.items() if ratio == 0})


def published(services: Services) -> SignalTypes:
    """The types that are on, as their newest snapshots say; all of them where there is no index.

    Without an answer from the store a type counts as on: its lookups say what is the matter.
    """
    if services.settings.store_url is None and not services.settings.shards:
        return services.signal_types
    names = services.signal_types.enabled()
    return services.signal_types.without({name for name in names if _is_off(services, name)})


def index_status(services: Services, signal_type: str | None = None) -> dict[str, dict[str, Any]]:
    """For each type, or one, how its index compares with the catalog.

    Raises:
        BadInput: no such type.
        Unavailable: the store does not say.
    """
    names = services.signal_types.enabled()
    if signal_type is not None and signal_type not in names:
        raise BadInput(f"No such signal type '{signal_type}'")
    return {name: _status(services, name) for name in ([signal_type] if signal_type else names)}


def _is_off(services: Services, name: str) -> bool:
    try:
        return services.lookup_index.state(name).enabled_ratio == 0
    except HmaError:
        return False


def _status(services: Services, name: str) -> dict[str, Any]:
    size = services.catalog.exchanges.count_contents(name)
    behind = bool(services.catalog.marks(name, 1))
    try:
        built_to = int(services.lookup_index.state(name).created_at)
        index_size = services.lookup_index.size(name)
    except IndexNotReady:
        built_to, index_size, behind = -1, 0, size > 0
    return {
        "db_size": size,
        "index_built_to": built_to,
        "index_out_of_date": behind,
        "index_size": index_size,
        # The catalog keeps no times: what the index has not is from after it, so of now at most.
        "newest_db_item": int(time.time()) if behind else built_to,
    }
