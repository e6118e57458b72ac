"""Which signal types are on, as a function knows that opens no database.

The snapshots of a type carry its ratio: one of ratio 0 is switched off.
"""

from core.errors import HmaError
from core.index.reading.lookup_index import LookupIndex
from core.signal_types.enabled import SignalTypes


def select_published_types(
    signal_types: SignalTypes, lookup_index: LookupIndex | None
) -> SignalTypes:
    """The types that are on, as their newest snapshots say; all of them where there is no index.

    Without an answer from the store a type counts as on: its lookups say what is the matter.
    """
    if lookup_index is None:
        return signal_types
    names = signal_types.enabled()
    return signal_types.without({name for name in names if _is_off(lookup_index, name)})


def _is_off(lookup_index: LookupIndex, name: str) -> bool:
    try:
        return lookup_index.state(name).enabled_ratio == 0
    except HmaError:
        return False
