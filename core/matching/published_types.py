"""Which signal types are on, as a function knows that opens no database.

The snapshots of a type carry its ratio: one of ratio 0 is switched off.
"""

from core.errors import HmaError
from core.index.reading.lookup_index import LookupIndex
from core.signal_types.enabled import SignalTypes


def select_published_types(
    signal_types: SignalTypes, lookup_index: LookupIndex | None, content_type: str
) -> SignalTypes:
    """The types that are on, of those that hash `content_type`; all where there is no index.

    It may wait for the store, for as long as a lookup may. Without an answer a type counts as
    what it was when the store last answered, or as on: its lookups say what is the matter.

    Raises:
        BadInput: no such content type, or it is not enabled.
    """
    if lookup_index is None:
        return signal_types
    names = signal_types.hashers(content_type)
    return signal_types.without({name for name in names if _is_off(lookup_index, name)})


def _is_off(lookup_index: LookupIndex, name: str) -> bool:
    try:
        return lookup_index.enabled_ratio(name) == 0
    except HmaError:
        return False
