"""An exchange's API, ready to be asked. What it raises comes out without our credentials."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from threatexchange.exchanges.auth import SignalExchangeAPIInvalidAuthException

from core.catalog.exchange.exchange import Exchange
from core.errors import BadInput, ExchangeRefused, ExchangeUnavailable, HmaError, Misconfigured
from core.exchanges.credentials import Credentials, redact
from core.exchanges.registry import Api, ExchangeApis, takes_credentials

T = TypeVar("T")

LONGEST_ERROR = 1000


class ApiFailed(Exception):
    """The API cannot be asked, or raised something. The message may be shown to anybody.

    Attributes:
        wait: seconds after which to try again at the earliest; None if that will not help.
    """

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class ExchangeClient:
    """An API made for one exchange.

    Attributes:
        api: its class.
        config: the exchange's configuration, as the class takes it.
        instance: what is asked.
        credentials: what it asks with, None if it needs none.
    """

    api: Api
    config: Any
    instance: Any
    credentials: Any

    def ask(self, call: Callable[[], T]) -> T:
        """What `call`, into the API's code, returns. Raises ApiFailed whatever that raises."""
        return _ask(call, self.credentials)


class Connector:
    """Makes the API of an exchange ready to be asked, with what it asks for."""

    def __init__(self, apis: ExchangeApis, credentials: Credentials) -> None:
        self._apis = apis
        self._credentials = credentials

    def connect(self, exchange: Exchange) -> ExchangeClient:
        """The API of an exchange, with its configuration and credentials.

        Raises:
            ApiFailed: it is not installed any more, has no credentials, or will not be made.
        """
        name = exchange.api
        try:
            api = self._apis.get(name)
            config = self._apis.parse_config(name, exchange.name, exchange.config, exchange.enabled)
            credentials = self._credentials.get(name) if takes_credentials(api) else None
        except (BadInput, Misconfigured) as error:
            raise ApiFailed(error.message, None) from None
        if not takes_credentials(api):
            instance = _ask(lambda: api.for_collab(config), None)
        elif credentials is None:  # the API would look for some in our environment and home folder
            raise ApiFailed(
                f"{name} has no credentials: POST them to /c/exchanges/api/{name}", None
            )
        else:
            instance = _ask(lambda: api.for_collab(config, credentials), credentials)
        return ExchangeClient(api, config, instance, credentials)


def _ask(call: Callable[[], T], credentials: Any) -> T:
    try:
        return call()
    except Exception as error:
        # From none: the trace of the original would have the credentials in it.
        raise ApiFailed(
            redact(_message(error), credentials)[:LONGEST_ERROR], _retry_after(error)
        ) from None


def _message(error: Exception) -> str:
    if isinstance(error, HmaError):
        return error.message
    return f"{type(error).__name__}: {getattr(error, 'message', None) or error}"


def _retry_after(error: Exception) -> float | None:
    if isinstance(error, ExchangeUnavailable):
        return error.wait
    never = ExchangeRefused | SignalExchangeAPIInvalidAuthException | NotImplementedError
    if isinstance(error, never):
        return None
    response = getattr(error, "response", None)  # as the errors of requests have it
    status = getattr(response, "status_code", 500)
    if status not in (408, 425, 429) and 400 <= status < 500:
        return None
    after = str(getattr(response, "headers", {}).get("Retry-After", ""))
    return float(after) if after.isdigit() else 0.0
