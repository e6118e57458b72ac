"""Credentials of exchange APIs: sealed at rest, checked, and kept out of all that is said.

They are one for each API, as in HMA. With `HMA_CREDENTIALS_KEY` they are encrypted before they
reach the catalog. They are handed to the API's class and to nobody else, never as a process-wide
default; no answer, log or error of ours repeats them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import BadInput, Misconfigured
from core.exchanges.dataclass_json import as_json, from_json
from core.exchanges.registry import Api, ExchangeApis, takes_credentials

if TYPE_CHECKING:
    from core.catalog.exchange.credential import SealedCredentials

SEALED, PLAIN = "fernet:", "plain:"


class Credentials:
    """The credentials of one deployment's exchange APIs.

    Args:
        keys: as `Seal` takes them; the setting `credentials_key`.
    """

    def __init__(
        self, stored: "SealedCredentials", apis: ExchangeApis, keys: tuple[str, ...]
    ) -> None:
        self._stored = stored
        self._apis = apis
        self._seal = Seal(keys)

    def get(self, name: str) -> Any:
        """The credentials of an API, as its class takes them; None if none are set.

        Raises:
            Misconfigured: they were sealed with a key that we do not have.
        """
        stored = self._stored.get(name)
        if stored is None:
            return None
        return _parse(self._apis.get(name), json.loads(self._seal.open(stored)))

    def has(self, name: str) -> bool:
        """Whether any are set; they need not be readable."""
        return self._stored.get(name) is not None

    def set(self, name: str, value: Any) -> None:
        """Store `value`, a JSON object, instead of what there is; `{}` deletes that.

        Raises:
            BadInput: not what the API takes; the message names fields and never values.
        """
        if value == {}:
            self._stored.delete(name)
            return
        parsed = _parse(self._apis.get(name), value)
        self._stored.put(name, self._seal.close(json.dumps(as_json(parsed))))


class Seal:
    """Encrypts with the first of some Fernet keys, and decrypts with any of them.

    Without keys, text is stored as it is, and can still be read once there are some.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._fernet = _fernet(keys) if keys else None

    def close(self, text: str) -> str:
        """`text` as it is stored."""
        if self._fernet is None:
            return PLAIN + text
        return SEALED + self._fernet.encrypt(text.encode()).decode()

    def open(self, stored: str) -> str:
        """The text that `close` was given.

        Raises:
            Misconfigured: it was sealed with none of our keys.
        """
        if stored.startswith(PLAIN):
            return stored.removeprefix(PLAIN)
        if self._fernet is None:
            raise Misconfigured("credentials are sealed, but HMA_CREDENTIALS_KEY is not set")
        try:
            return self._fernet.decrypt(stored.removeprefix(SEALED)).decode()
        except InvalidToken:
            raise Misconfigured(
                "credentials were sealed with another key than HMA_CREDENTIALS_KEY: "
                "list the old one after the new one, or set the credentials again"
            ) from None


def redact(text: str, credentials: Any) -> str:
    """`text` without any of the values of `credentials`, however they are quoted."""
    secrets = set(_texts(as_json(credentials)))
    spelt = {form for s in secrets for form in (s, quote(s), quote(s, safe=""), quote_plus(s))}
    for form in sorted(spelt, key=len, reverse=True):
        # Cutting a single letter out of a sentence would tell it.
        if len(form) < 4 and form in text:
            return "(an error that repeats our credentials)"
        text = text.replace(form, "[redacted]")
    return text


def _parse(api: Api, value: Any) -> Any:
    if not takes_credentials(api):
        raise BadInput(f"Exchange API '{api.get_name()}' takes no credentials")
    if not isinstance(value, Mapping):
        raise BadInput("credential_json must be an object")
    kind = api.get_credential_cls()
    # Whatever it raises may hold what it was given.
    try:
        credentials = from_json(value, kind)
        valid = credentials._are_valid()
    except Exception as error:
        path = getattr(error, "field_path", None)
        hint = f": see field {path!r}" if path else ""
        raise BadInput(f"Invalid credentials for '{api.get_name()}'{hint}") from None
    if not valid:
        raise BadInput(f"Invalid credentials for '{api.get_name()}'")
    return credentials


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str() if value:
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)


def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise Misconfigured(
            "HMA_CREDENTIALS_KEY is no Fernet key, which is the URL-safe base64 of 32 bytes: "
            "make one with `openssl rand -base64 32 | tr +/ -_`"
        ) from None
