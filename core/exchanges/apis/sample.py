"""The examples that signal types bring along: something to match without asking anybody."""

from collections.abc import Mapping, Sequence
from typing import Any

from threatexchange.exchanges.impl.static_sample import StaticSampleSignalExchangeAPI
from threatexchange.signal_type.signal_base import SignalType

from core.exchanges.apis.signal_form import by_type


class Sample(StaticSampleSignalExchangeAPI):  # type: ignore[misc]
    """All of them at once: a checkpoint is always stale, so what is no example any more goes."""

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        _collab: Any,
        fetched: Mapping[tuple[str, str], Any],
    ) -> dict[type[SignalType], dict[str, Any]]:
        """Raises ValueError if an example is malformed."""
        return by_type(signal_types, fetched)
