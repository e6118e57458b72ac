"""Signal types that are switched off at run time, and on again: HMA's `enabled_ratio` of a type.

As in HMA a type is enabled unless its ratio is 0. The catalog keeps it, and the snapshots of the
type carry it to functions that open no database: see `core.matching.published_types`. A type that
is off is neither hashed, matched nor banked; what is banked of it stays, and matches again when it
is on.
"""

from typing import TYPE_CHECKING, Any

from core.errors import BadInput, NotFound
from core.signal_types.enabled import SignalTypes

if TYPE_CHECKING:
    from core.catalog import Catalog


def list_type_ratios(signal_types: SignalTypes, catalog: "Catalog") -> dict[str, float]:
    """The ratio of every signal type of this deployment, by name."""
    ratios = catalog.signal_types.ratios()
    return {name: ratios.get(name, 1.0) for name in signal_types.enabled()}


def set_type_ratio(
    signal_types: SignalTypes, catalog: "Catalog", signal_type: str, value: Any
) -> None:
    """Give a signal type a ratio, which its next snapshot will say.

    Args:
        value: as a client sent it; None if it sent none.

    Raises:
        NotFound: no such type.
        BadInput: it is no ratio.
    """
    if signal_type not in signal_types.enabled():
        raise NotFound(f"No such signal type '{signal_type}'")
    if value is None:
        raise BadInput("enabled_ratio is required")
    try:
        ratio = float("" if isinstance(value, bool) else value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"Invalid float: {value!r}") from error
    catalog.signal_types.set_ratio(signal_type, ratio)
