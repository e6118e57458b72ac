"""What a fetch of one exchange did, for whoever asked for it."""

from dataclasses import dataclass, field

from core.catalog.exchange.fetched_record import ContentChanges


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did.

    Attributes:
        exchange: its name.
        fetched: records it was sent.
        applied: what that changed.
        up_to_date: whether it reached the end of the list; if not, the next fetch goes on.
        running: another fetch has the exchange, and this one did nothing.
        error: why it stopped early, without any credentials; None if nothing went wrong.
        snapshots: of each signal type, the published one that holds all of this; empty if
            publishing has to be made up for.
    """

    exchange: str
    fetched: int = 0
    applied: ContentChanges = field(default_factory=ContentChanges)
    up_to_date: bool = False
    running: bool = False
    error: str | None = None
    snapshots: dict[str, int] = field(default_factory=dict)
