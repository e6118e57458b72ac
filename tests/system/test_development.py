"""HMA's development routes: there in development mode, and only then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import Served
from tests.system.runtime import running


@pytest.fixture
def developed(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path / "data", "--development", store="files") as served:
        yield served


def test_a_server_is_filled_and_emptied(developed: Served) -> None:
    """Examples are fetched, banks seeded, both match; afterwards nothing is left."""
    sample = developed.post("/dev/setup_sample_example").json()
    assert sample["error"] is None
    assert sample["fetched"] > 0
    assert developed.post("/dev/seed_banks").status_code == 200
    assert developed.post("/dev/seed_banks").status_code == 403
    names = {bank["name"] for bank in developed.get("/c/banks").json()}
    assert names == {"SAMPLE_EXCHANGE", "SEED_BANK_0", "SEED_BANK_1"}
    listed = developed.get("/c/bank/SEED_BANK_0/contents", include_signals="true").json()
    assert len(listed["contents"]) == 100
    assert developed.post("/dev/run_fetch").status_code == 200
    assert developed.post("/dev/factory_reset").json() == {"message": "Done"}
    assert developed.get("/c/banks").json() == []
    assert developed.get("/c/exchanges").json() == []


def test_a_privacy_group_needs_a_number(developed: Served) -> None:
    """Text is 400, names the field, and makes no exchange."""
    answer = developed.post("/dev/setup_tx_example", json={"privacy_group": "five"})
    assert answer.status_code == 400
    assert "privacy_group" in answer.json()["message"]
    assert developed.get("/c/exchanges").json() == []


def test_they_are_not_there_otherwise(tmp_path: Path) -> None:
    """A runtime that was not started for development has none of these routes."""
    with running(tmp_path / "data", store="files") as served:
        assert served.post("/dev/factory_reset").status_code == 404
        assert not any("/dev/" in rule for rule in served.get("/site-map").json())
