"""How far the index of a signal type is behind the catalog."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.index.reading.lookup_index import LookupIndex
from core.matching.status import LookupStatus, read_lookup_status

if TYPE_CHECKING:
    from core.catalog import Catalog


@dataclass(frozen=True)
class IndexComparison:
    """The index of one signal type beside the catalog.

    Attributes:
        banked: contents of the catalog that have signals of this type.
        indexed: signals in the newest snapshot; 0 without one.
        built_to: when that snapshot was made, in seconds since 1970; -1 without one.
        out_of_date: whether something is banked that the index does not have.
        changed_at: the latest that the catalog can have changed, in seconds since 1970.
    """

    banked: int
    indexed: int
    built_to: int
    out_of_date: bool
    changed_at: int


def compare_index(
    catalog: "Catalog", lookup_index: LookupIndex, signal_types: Iterable[str]
) -> dict[str, IndexComparison]:
    """For each of these enabled types how its index compares with the catalog.

    Raises:
        Unavailable: the store does not say.
    """
    statuses = read_lookup_status(lookup_index, signal_types)
    return {name: _compare(catalog, name, status) for name, status in statuses.items()}


def _compare(catalog: "Catalog", name: str, status: LookupStatus) -> IndexComparison:
    banked = catalog.signal_types.count_contents(name)
    out_of_date = bool(catalog.marks.pending(name, 1)) if status.present else banked > 0
    # The catalog keeps no times: what the index has not is from after it, so of now at most.
    changed_at = int(time.time()) if out_of_date else status.built_to
    return IndexComparison(banked, status.size, status.built_to, out_of_date, changed_at)
