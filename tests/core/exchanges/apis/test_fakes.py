"""The fakes speak the protocols: threatexchange's own clients understand them."""

from typing import Any

import pytest
from threatexchange.exchanges.clients.fb_threatexchange.api import ThreatExchangeAPI
from threatexchange.exchanges.clients.ncmec.hash_api import NCMECHashAPI
from threatexchange.exchanges.clients.techagainstterrorism.api import TATHashListAPI
from threatexchange.exchanges.impl.fb_threatexchange_api import FBThreatExchangeSignalExchangeAPI
from threatexchange.exchanges.impl.ncmec_api import NCMECSignalExchangeAPI
from threatexchange.exchanges.impl.stop_ncii_api import StopNCIISignalExchangeAPI
from threatexchange.exchanges.impl.techagainstterrorism_api import TATSignalExchangeAPI

from local_runtime.demo.fake_exchanges import FakeExchange
from tests.core.exchanges.apis.member import TYPES, Member


def unmodified(fake: FakeExchange, member: Member, patch: pytest.MonkeyPatch) -> Any:
    """The client that comes with threatexchange, pointed at `fake`."""
    given = member.credentials
    match fake.NAME:
        case "fb_threatexchange":
            client = ThreatExchangeAPI(given.api_token, endpoint_override=fake.url)
            return FBThreatExchangeSignalExchangeAPI(client, member.config)
        case "ncmec":
            api = NCMECSignalExchangeAPI(member.config, given.user, given.password)

            def get_client(environment: Any) -> NCMECHashAPI:
                client = NCMECHashAPI(given.user, given.password, environment)
                client._base_url = fake.url
                return client

            patch.setattr(api, "get_client", get_client)
            return api
        case "stop_ncii":
            given.base_url_override = fake.url
            return StopNCIISignalExchangeAPI.for_collab(member.config, given)
        case _:
            patch.setattr(TATHashListAPI, "BASE_URL", fake.url + "/")
            return TATSignalExchangeAPI.for_collab(member.config, given)


def test_unmodified_clients_understand_the_fakes(
    fake: FakeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What threatexchange itself fetches from a fake is what the fake lists."""
    member = Member(fake)
    api = unmodified(fake, member, monkeypatch)
    records: dict[Any, Any] = {}
    for delta in api.fetch_iter(TYPES, None):
        api.naive_fetch_merge(records, delta.updates)
    found = api.naive_convert_to_signal_type(TYPES, member.config, records)
    live = {(kind.get_name(), signal) for kind, signals in found.items() for signal in signals}
    assert live == fake.ledger.live()
