"""Which exchange APIs there are, and what they ask for, read off their classes.

APIs are classes of threatexchange's interface: ours by name, anybody's by `module:Class`, and
those that an extension brings. Their code is not ours, so what it raises is translated.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from threatexchange.exchanges.auth import SignalExchangeWithAuth
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI

from core.errors import BadInput, Misconfigured
from core.exchanges.apis import BUILT_IN
from core.exchanges.dataclass_json import as_json, from_json
from core.settings import Settings
from core.signal_types.extension import index_by_name, load_classes, load_manifest

Api = type[Any]
"""A class of threatexchange's `SignalExchangeAPI`, which has no types of its own for us to use."""

EVERYWHERE = ("name", "api", "enabled")
"""Fields of every configuration, which are not part of what an API asks for."""


@dataclass(frozen=True)
class ExchangeApis:
    """The exchange APIs of one deployment, each under the name it gives itself."""

    apis: Mapping[str, Api]

    @classmethod
    def from_settings(cls, settings: Settings) -> "ExchangeApis":
        """Those that `settings` name, and all that the extensions of `settings` bring.

        Raises:
            Misconfigured: one of them cannot be loaded, two have the same name, or one that is
                to be asked elsewhere cannot be.
        """
        named = load_classes(
            settings.exchange_apis, BUILT_IN, SignalExchangeAPI, "HMA_EXCHANGE_APIS"
        )
        brought = [api for module in settings.extensions for api in load_manifest(module).apis]
        apis = index_by_name([*named, *brought])
        return cls({**apis, **dict(_apis_elsewhere(apis, settings.exchange_endpoints))})

    def names(self) -> list[str]:
        """The names of all of them."""
        return sorted(self.apis)

    def get(self, name: object) -> Api:
        """The API of this name.

        Raises:
            BadInput: there is none.
        """
        if not isinstance(name, str) or name not in self.apis:
            raise BadInput(f"No such exchange type '{name}'")
        return self.apis[name]

    def parse_config(
        self, name: str, exchange: str, config: Mapping[str, Any], enabled: bool
    ) -> Any:
        """The configuration of an exchange, as its API takes it.

        Raises:
            BadInput: no such API, or `config` is not what it asks for.
        """
        api = self.get(name)
        fields = {**config, "name": exchange, "api": name, "enabled": enabled}
        try:
            return from_json(fields, api.get_config_cls())
        except Exception as error:
            raise BadInput(
                f"Failed to parse `api_json` - verify all fields are supplied. {error}"
            ) from error

    def complete_config(
        self, name: str, exchange: str, config: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What of `config` the API asks for, with its defaults, as JSON. Raises BadInput."""
        complete: dict[str, Any] = as_json(self.parse_config(name, exchange, config, True))
        return {key: value for key, value in complete.items() if key not in EVERYWHERE}


def _apis_elsewhere(apis: Mapping[str, Api], endpoints: Iterable[str]) -> Iterator[tuple[str, Api]]:
    """Those of `apis` that are asked at another URL, by name."""
    for endpoint in endpoints:
        name, _, url = endpoint.partition("=")
        if not hasattr(apis.get(name), "at") or not url.startswith(("http://", "https://")):
            movable = ", ".join(sorted(key for key, api in apis.items() if hasattr(api, "at")))
            raise Misconfigured(
                f"HMA_EXCHANGE_ENDPOINTS: {endpoint!r} is not name=URL of any of {movable}"
            )
        yield name, apis[name].at(url)


def takes_credentials(api: Api) -> bool:
    """Whether this API is asked with credentials."""
    return issubclass(api, SignalExchangeWithAuth)
