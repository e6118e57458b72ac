"""Banking: what a client calls signals becomes content of a bank, if it is what it says."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import BadInput
from core.signal_types.enabled import SignalTypes

if TYPE_CHECKING:
    from core.catalog import Catalog, Content


def bank_signals(
    signal_types: SignalTypes,
    catalog: "Catalog",
    bank_name: str,
    signals: Mapping[str, Any],
    *,
    metadata: Any = None,
    note: Any = None,
    labels: Any = None,
    crops: Sequence[str] = (),
) -> "Content":
    """New content of `bank_name`, not published yet.

    Args:
        signal_types: those that are on, as far as the caller knows. Any that was switched off
            since is refused in the transaction that makes the content.
        signals: by signal type, as a client gave them or as they were hashed.
        crops: PDQ hashes of crops, kept only if there is a PDQ hash of the whole.

    Raises:
        NotFound: no such bank.
        BadInput: a signal, the metadata, the note or a label is not what it should be.
    """
    normalised = {name: _normalise(signal_types, name, signal) for name, signal in signals.items()}
    kept = crops if "pdq" in normalised else ()
    return catalog.contents.add(bank_name, normalised, metadata, note, labels=labels, crops=kept)


def check_thresholds(signal_types: SignalTypes, thresholds: Mapping[str, int]) -> None:
    """Check that a bank may have these thresholds: none is looser than its signal type's.

    Raises:
        BadInput: a type without one, or a threshold that it would not match at anyway.
    """
    for name, threshold in thresholds.items():
        if name not in signal_types.enabled():
            raise BadInput(f"No such signal type {name}")
        signal_types.check_threshold(name, threshold)


def _normalise(signal_types: SignalTypes, name: str, signal: Any) -> str:
    if name not in signal_types.enabled():
        raise BadInput(f"No such signal type {name}")
    try:
        if not isinstance(signal, str):
            raise BadInput("not a string")
        return signal_types.validate(name, signal)
    except BadInput as error:
        raise BadInput(f"Invalid {name} signal: {error.message}") from error
