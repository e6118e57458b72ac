"""Every error that a caller may act on, with the HTTP status the edge gives it.

Raised deep, translated once (`functions.web.app`), never logged and swallowed.
Unknown is 503 and never 404: a client may delete what we say does not exist.
"""

from typing import ClassVar


class HmaError(Exception):
    """Base of all of ours.

    Attributes:
        status: the HTTP status of an answer that reports this error.
        retry_after: seconds after which trying again makes sense, None if it never does.
    """

    status: ClassVar[int] = 503
    retry_after: ClassVar[int | None] = None

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else type(self).__name__


class BadInput(HmaError):
    """The request can never succeed as it is; the message says what to change."""

    status = 400


class Unauthorized(HmaError):
    """The request does not say who it is from, where that is asked."""

    status = 401


class Forbidden(HmaError):
    """Well-formed, but not allowed: a name that is taken, a role that is switched off."""

    status = 403


class NotFound(HmaError):
    """The thing asked for surely does not exist."""

    status = 404


class TooLarge(HmaError):
    """More bytes, pixels or frames than the settings allow."""

    status = 413


class NotJson(HmaError):
    """A body that had to be JSON was declared as something else."""

    status = 415


class Unavailable(HmaError):
    """We do not know right now. The same request may succeed later."""

    retry_after = 1


class StoreUnavailable(Unavailable):
    """The object store cannot be reached or refuses to answer."""


class CatalogUnavailable(Unavailable):
    """The catalog's database cannot be reached."""


class ExchangeUnavailable(Unavailable):
    """An exchange does not answer, answers nonsense, or asks us to come back later.

    Attributes:
        wait: the seconds after which it wants to be asked again, 0 if it did not say.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class ExchangeRefused(HmaError):
    """An exchange will not have what we ask of it: wrong or expired credentials, mostly."""

    status = 502


class IndexNotReady(Unavailable):
    """No snapshot has been published for this signal type, or none could be loaded yet."""


class IndexStale(Unavailable):
    """The newest snapshot we hold is older than `max_stale_seconds`, so it may miss something."""


class SegmentCorrupt(Unavailable):
    """Bytes from the store or the cache do not have the checksum their snapshot names."""


class SeveralWriters(Unavailable):
    """A second publisher on a store that ignores create-if-absent, where only one is safe."""


class Superseded(Unavailable):
    """Another fetch of the same exchange took over: whoever learns this stops."""


class ObjectMissing(HmaError):
    """No object under this key."""


class ObjectExists(HmaError):
    """Create-if-absent lost: some object is already under this key."""


class Misconfigured(HmaError):
    """The settings contradict themselves or each other; nothing works until they are changed."""
