"""Exchanges that only look like it: real servers on loopback that speak each one's protocol.

They know signals that nobody need be afraid of, and do at request what real ones do at times:
answer late or not at all, refuse, throttle, repeat themselves, and send pages and records that
are broken. The tests use them, and `hma demo exchanges`.

| file | knows |
|---|---|
| `server` | the HTTP server that all of them are, and its faults |
| `ledger` | what one knows, in the order of its last change |
| `ncmec`, `stop_ncii`, `tat`, `threatexchange` | what each one's protocol looks like |
"""

from local_runtime.demo.fake_exchanges.ledger import Ledger
from local_runtime.demo.fake_exchanges.ncmec import FakeNcmec
from local_runtime.demo.fake_exchanges.server import FakeExchange, Fault, Reported
from local_runtime.demo.fake_exchanges.stop_ncii import FakeStopNcii
from local_runtime.demo.fake_exchanges.tat import FakeTat
from local_runtime.demo.fake_exchanges.threatexchange import FakeThreatExchange

__all__ = [
    "FakeExchange",
    "FakeNcmec",
    "FakeStopNcii",
    "FakeTat",
    "FakeThreatExchange",
    "Fault",
    "Ledger",
    "Reported",
]
