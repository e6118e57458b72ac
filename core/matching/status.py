"""Whether signals can be looked up: which index there is of each type. Knows no catalog."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.errors import BadInput, IndexNotReady
from core.index.reading.lookup_index import LookupIndex
from core.signal_types.enabled import SignalTypes


@dataclass(frozen=True)
class LookupStatus:
    """The index that lookups of one signal type are answered from.

    Attributes:
        built_to: Unix time in whole seconds; -1 while there is no index.
        present: whether there is one.
        size: number of live contents.
    """

    built_to: int = -1
    present: bool = False
    size: int = 0


def select_types(types: SignalTypes, signal_type: str | None = None) -> Collection[str]:
    """The names of the enabled types, or of the one that is asked for.

    Whoever asks for an index asks this first, so that a type that is none needs no store.

    Raises:
        BadInput: no such type is enabled.
    """
    enabled = types.enabled()
    if signal_type is None:
        return enabled
    if signal_type not in enabled:
        raise BadInput(f"No such signal type '{signal_type}'")
    return [signal_type]


def read_lookup_status(index: LookupIndex, signal_types: Iterable[str]) -> dict[str, LookupStatus]:
    """For each of these enabled types the index that its lookups ask.

    Raises:
        Unavailable: the store does not say.
    """
    return {name: _read_status(index, name) for name in signal_types}


def check_lookups(index: LookupIndex, signal_types: Iterable[str]) -> None:
    """Load the index of each of these types, so that its lookups are answered at once.

    Raises:
        Unavailable: that of one is not there, or not fresh.
    """
    for name in signal_types:
        index.state(name)


def _read_status(index: LookupIndex, signal_type: str) -> LookupStatus:
    try:
        state, size = index.state(signal_type), index.size(signal_type)
    except IndexNotReady:
        return LookupStatus()
    return LookupStatus(int(state.created_at), True, size)
