"""Every error that a caller may act on, with the HTTP status the edge gives it.

Raised deep, translated once (`functions.web.app`), never logged and swallowed.
Unknown is 503 and never 404: a client may delete what we say does not exist.
"""

from typing import ClassVar


class HmaError(Exception):
    """Base of every error of this project.

    Attributes:
        status: the HTTP status of an answer that reports this error.
        retry_after: seconds after which trying again makes sense, None if it never does.
        remedy: what whoever sees it should do; each class has its own.
    """

    status: ClassVar[int] = 503
    retry_after: ClassVar[int | None] = None
    remedy: ClassVar[str] = ""

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else type(self).__name__


class BadInput(HmaError):
    """The request can never succeed as it is; the message says what to change."""

    status = 400
    remedy = "Change the request as the message says; the same one will fail again."


class Unauthorized(HmaError):
    """The request does not say who it is from, where that is asked."""

    status = 401
    remedy = (
        "Send `Authorization: Bearer …` with one of the tokens in the server's `HMA_API_TOKENS`."
    )


class Forbidden(HmaError):
    """Well-formed, but not allowed: a name that is taken, a role that is switched off."""

    status = 403
    remedy = "Choose another name, or ask the operator to switch on what the message names."


class NotFound(HmaError):
    """The thing asked for surely does not exist."""

    status = 404
    remedy = (
        "Check the name or id; a bank is made by `hma bank create`. A client may forget what is "
        "not found."
    )


class TooLarge(HmaError):
    """More bytes, pixels or frames than the settings allow."""

    status = 413
    remedy = (
        "Send a smaller file, or raise the setting that the message is about, "
        "`HMA_MAX_UPLOAD_BYTES`, `HMA_MAX_PIXELS` or another `HMA_MAX_…`, together with the "
        "function's memory."
    )


class NotJson(HmaError):
    """A body that had to be JSON was declared as something else."""

    status = 415
    remedy = "Send `Content-Type: application/json` with the body."


class Unavailable(HmaError):
    """We do not know right now. The same request may succeed later."""

    retry_after = 1
    remedy = (
        "Send the same request again, later each time. If it lasts, look in the function's log and "
        "at `/status`. Never take it for no match."
    )


class Abandoned(Unavailable):
    """Whoever asked has gone before there was an answer, so that no more is done for it."""

    remedy = (
        "Nothing: nobody sees it. If clients give up often, give them longer time-outs or the "
        "function more processors."
    )


class LongSearch(Unavailable):
    """So much is near a signal that whoever searches should not hold up others meanwhile."""

    remedy = "Nothing: the same search goes on in a thread, and no answer has this."


class StoreUnavailable(Unavailable):
    """The object store cannot be reached or refuses to answer."""

    remedy = (
        "Try again. If it lasts: does the store answer, are `HMA_STORE_URL` and "
        "`HMA_STORE_ENDPOINT` right, and may the credentials do what the message says?"
    )


class CatalogUnavailable(Unavailable):
    """The catalog's database cannot be reached."""

    remedy = (
        "Try again. If it lasts: does the database run, can the function reach `HMA_DATABASE_URL`, "
        "and has it connections left? Lookups go on meanwhile."
    )


class ExchangeUnavailable(Unavailable):
    """An exchange does not answer, answers nonsense, or asks us to come back later.

    Attributes:
        wait: the seconds after which it wants to be asked again, 0 if it did not say.
    """

    remedy = (
        "Nothing at first: the next scheduled fetch goes on where this one stopped. If it lasts, "
        "`/c/exchange/<name>/progress` has the reason; ask the exchange."
    )

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class ExchangeRefused(HmaError):
    """An exchange will not have what we ask of it: wrong or expired credentials, mostly."""

    status = 502
    remedy = (
        "Set new credentials with `POST /c/exchanges/api/<api>`, and check the exchange's config. "
        "What was fetched goes on matching."
    )


class IndexNotReady(Unavailable):
    """No snapshot has been published for this signal type, or none could be loaded yet."""

    remedy = (
        "Run `hma publish`, or wait for the schedule to; a function that has just started needs a "
        "moment to load the index."
    )


class IndexStale(Unavailable):
    """The newest snapshot we hold is older than `max_stale_seconds`, so it may miss something."""

    remedy = (
        "Schedule `POST /publish` more often than `HMA_MAX_STALE_SECONDS`, and see in its log why "
        "it failed. If it did not: can this function reach the store?"
    )


class SegmentCorrupt(Unavailable):
    """Bytes from the store or the cache do not have the checksum their snapshot names."""

    remedy = (
        "The message names the object. Damaged files of the cache are fetched again without your "
        "help, so it is damaged in the store: run `hma publish --rebuild`, and find out what "
        "changed it."
    )


class SeveralWriters(Unavailable):
    """A second publisher on a store that ignores create-if-absent, where only one is safe."""

    remedy = (
        "Let one process alone publish to this store, or use a store that knows create-if-absent."
    )


class Superseded(Unavailable):
    """Another fetch of the same exchange took over: whoever learns this stops."""

    remedy = (
        "Nothing: the other fetch goes on. If it happens all the time, schedule fetches further "
        "apart than `HMA_FETCH_SECONDS`."
    )


class ObjectMissing(HmaError):
    """No object under this key."""

    remedy = (
        "Try again once. If it lasts, somebody deletes in the store besides this program: a "
        "lifecycle rule, mostly. Run `hma publish --rebuild`."
    )


class ObjectExists(HmaError):
    """Create-if-absent lost: some object is already under this key."""

    remedy = "Try again: somebody else wrote the same object first, and that one counts."


class Misconfigured(HmaError):
    """The settings contradict themselves or each other; nothing works until they are changed."""

    remedy = (
        "Change the settings that the message names (`docs/settings.md` has them all) and start "
        "the function again."
    )
