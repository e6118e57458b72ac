"""Running a lookup: on the event loop, which is fastest, unless it would hold up others there."""

from core.errors import LongSearch
from core.matching.lookup import Lookup, LookupQuery, look_up
from core.services import Services
from functions.web.dependencies import Limits, in_thread

QUICK_HITS = 500
"""Rows near a signal that are made into matches in some milliseconds."""


async def run_lookup(services: Services, limits: Limits, query: LookupQuery) -> Lookup:
    """What `query` is answered.

    It waits in a thread if the index has to look at its store or its shards first, or if searching
    takes long: for many signals, for those that no index makes fast, or because much is near.

    Raises:
        BadInput, Unavailable: as `look_up`.
    """
    types, name = services.signal_types, query.signal_type
    types.get(name)
    index = services.lookup_index
    if (
        len(query.signals) + len(query.variants) > 1
        or query.rules.min_snapshot is not None
        or index.due(name)
        or not types.is_quick(name)
    ):
        return await in_thread(limits.index, look_up, index, types, query)
    try:
        return look_up(index, types, query, QUICK_HITS)
    except LongSearch:
        return await in_thread(limits.index, look_up, index, types, query)
