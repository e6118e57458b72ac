"""Exchanges that are asked elsewhere than they always are."""

import pytest

from core.errors import Misconfigured
from core.exchanges.registry import ExchangeApis
from core.settings import Settings


def exchanges(endpoints: str) -> ExchangeApis:
    return ExchangeApis.from_settings(Settings.from_env({"HMA_EXCHANGE_ENDPOINTS": endpoints}))


def test_each_that_is_asked_over_http_can_be_elsewhere() -> None:
    """The class stays what it was, with another address; the others keep theirs."""
    usual = ExchangeApis.from_settings(Settings())
    moved = exchanges("ncmec=http://gateway/n/, tat=https://gateway/t?a=b")
    assert moved.get("ncmec").BASE_URL == "http://gateway/n"
    assert moved.get("tat").BASE_URL == "https://gateway/t?a=b"
    assert issubclass(moved.get("ncmec"), usual.get("ncmec"))
    assert moved.get("ncmec").get_name() == "ncmec"
    assert moved.get("stop_ncii") is usual.get("stop_ncii")
    assert moved.names() == usual.names()


@pytest.mark.parametrize(
    "endpoint", ["ncmec", "ncmec=", "ncmec=gateway", "nobody=http://x", "local_file=http://x"]
)
def test_what_cannot_be_elsewhere_is_an_error(endpoint: str) -> None:
    """Which says what can be."""
    with pytest.raises(Misconfigured, match="name=URL of any of fb_threatexchange, ncmec, stop"):
        exchanges(endpoint)
