"""The page on exchanges tells of all of them."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from core.exchanges.apis import BUILT_IN
from core.exchanges.registry import EVERYWHERE, ExchangeApis, takes_credentials
from core.settings import Settings

PAGE = (Path(__file__).parents[4] / "docs" / "exchanges.md").read_text()


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_exchange_and_all_that_it_asks_for(name: str) -> None:
    """Each has its section, with every field of its credentials and its configuration."""
    (section,) = re.findall(rf"^## {name}\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    api = ExchangeApis.from_settings(Settings()).get(name)
    asked = {field.name for field in fields(api.get_config_cls())} - set(EVERYWHERE)
    if takes_credentials(api):
        asked |= {field.name for field in fields(api.get_credential_cls())}
    assert {one for one in asked if f"`{one}`" not in section} == set()


@pytest.mark.parametrize("name", BUILT_IN)
def test_whether_it_can_be_told_is_true(name: str) -> None:
    """The table says of exactly those that have it that they can be told of opinions."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
    told = row.rstrip("| ").rpartition("| ")[2] != "no"
    assert told == hasattr(ExchangeApis.from_settings(Settings()).get(name), "report")
