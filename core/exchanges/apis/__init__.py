"""The exchanges that come with us, one a file: threatexchange's clients, made sound.

Each is a `SignalExchangeAPI`, as anybody's own is, and the engine treats all alike. Ours go
beyond that interface in two ways: a record that can't be used comes as a `Poisoned` under its
key, and some have `report(record_key, record, opinion)`, which tells the exchange what we found.
They raise `ExchangeUnavailable` when trying again may help and `ExchangeRefused` when not, and
nothing else of the network's. Each delta's checkpoint can be resumed from without loss.

| file | knows |
|---|---|
| `connection` | HTTP with an exchange, bounded and discreet |
| `fb_threatexchange` | Meta's ThreatExchange |
| `ncmec`, `ncmec_page` | NCMEC's hash sharing; one page of its entries |
| `stop_ncii` | StopNCII.org |
| `tat` | Tech Against Terrorism |
| `local_file` | a file of signals on this machine |
| `sample` | the examples that signal types bring along |
| `signal_form` | signals as exchanges write them, as they match |
"""

from types import MappingProxyType

BUILT_IN = MappingProxyType(
    {
        "fb_threatexchange": "core.exchanges.apis.fb_threatexchange:FbThreatExchange",
        "local_file": "core.exchanges.apis.local_file:LocalFile",
        "ncmec": "core.exchanges.apis.ncmec:Ncmec",
        "sample": "core.exchanges.apis.sample:Sample",
        "stop_ncii": "core.exchanges.apis.stop_ncii:StopNcii",
        "tat": "core.exchanges.apis.tat:Tat",
    }
)
"""Where each is, by its name."""
