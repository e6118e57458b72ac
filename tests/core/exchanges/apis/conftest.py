from collections.abc import Iterator

import pytest

from local_runtime.demo.fake_exchanges import (
    FakeExchange,
    FakeNcmec,
    FakeStopNcii,
    FakeTat,
    FakeThreatExchange,
)


@pytest.fixture(params=[FakeThreatExchange, FakeNcmec, FakeStopNcii, FakeTat])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeExchange]:
    """Each of the fake exchanges with 95 signals on ten pages."""
    made: FakeExchange = request.param(page_size=10)
    made.ledger.fill(95)
    with made:
        yield made
