"""`/c/signal_type*` and `/c/content_type`: every row, status and message."""

import pytest

from tests.contract.answers import assert_canonical, message
from tests.contract.conftest import Serve
from tests.pictures import photograph
from tests.served import Served


def test_types_are_listed(api: Served) -> None:
    """Those of this deployment, with their ratios; content types are enabled."""
    types = api.get("/c/signal_type")
    assert types.json() == [
        {"enabled_ratio": 1.0, "name": "pdq"},
        {"enabled_ratio": 1.0, "name": "video_md5"},
    ]
    assert_canonical(types)
    assert api.get("/c/content_type").text == (
        '[{"enabled":true,"name":"photo"},{"enabled":true,"name":"video"}]\n'
    )


def test_a_type_of_ratio_0_is_really_off(serve: Serve) -> None:
    """Neither hashed, matched nor banked; switched on again, what is banked of it matches."""
    with serve() as api:
        api.post("/publish")
        api.post("/c/banks", json={"name": "B"})
        signal = "0f" * 32
        content = api.post("/c/bank/B/signal", json={"pdq": signal}).json()["id"]
        off = api.put("/c/signal_type/pdq", json={"enabled_ratio": 0})
        assert (off.status_code, off.text) == (204, "")
        assert api.get("/c/signal_type").json()[0] == {"enabled_ratio": 0.0, "name": "pdq"}
        seen = {"min_snapshot": off.headers["X-HMA-Snapshot"]}
        for path in ("/m/lookup", "/m/raw_lookup"):
            refused = api.get(path, signal=signal, signal_type="pdq", **seen)
            assert message(refused, 400) == "SignalType 'pdq' is not enabled"
        banked = api.post("/c/bank/B/signal", json={"pdq": signal})
        assert message(banked, 400) == "No such signal type pdq"
        files = {"photo": photograph()}
        assert message(api.post("/h/hash", files=files), 400) == "empty signal type selection"
        assert message(api.post("/h/hash?types=pdq", files=files), 400) == (
            "signal type 'pdq' doesn't exist or is disabled"
        )
        assert api.post("/c/bank/B/content", files=files).status_code == 400
        assert api.get("/status").status_code == 200
        on = api.put("/c/signal_type/pdq", json={"enabled_ratio": "0.5"})
        assert on.status_code == 204
        seen = {"min_snapshot": on.headers["X-HMA-Snapshot"]}
        found = api.get("/m/lookup", signal=signal, signal_type="pdq", **seen)
        assert found.json() == {"B": [{"bank_content_id": content, "distance": "0"}]}
        assert api.post("/h/hash", files=files).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "enabled_ratio is required"),
        ({"enabled_ratio": "half"}, "Invalid float: 'half'"),
        ({"enabled_ratio": True}, "Invalid float: True"),
        ({"enabled_ratio": 1.5}, "enabled_ratio must be between 0 and 1"),
        ({"enabled_ratio": "nan"}, "enabled_ratio must be between 0 and 1"),
    ],
)
def test_what_is_no_ratio(api: Served, body: object, said: str) -> None:
    """Is refused, and changes nothing."""
    assert message(api.put("/c/signal_type/pdq", json=body), 400) == said
    assert api.get("/c/signal_type").json()[0]["enabled_ratio"] == 1.0


def test_an_unknown_type_has_no_ratio(api: Served) -> None:
    """404; and what is not JSON is 415."""
    answer = api.put("/c/signal_type/x", json={"enabled_ratio": 1})
    assert message(answer, 404) == "No such signal type 'x'"
    assert "Content-Type" in message(api.put("/c/signal_type/pdq", data="x"), 415)


def test_index_status_compares_index_and_catalog(api: Served, bank: str, signal: str) -> None:
    """After a publication they agree; one type may be asked for."""
    api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    api.post("/publish")
    status = api.get("/c/signal_type/index").json()
    assert set(status) == {"pdq", "video_md5"}
    assert set(status["pdq"]) == {
        "db_size",
        "index_built_to",
        "index_out_of_date",
        "index_size",
        "newest_db_item",
    }
    assert status["pdq"]["db_size"] >= 1
    assert status["pdq"]["index_out_of_date"] is False
    assert status["pdq"]["newest_db_item"] == status["pdq"]["index_built_to"] > 1_600_000_000
    assert set(api.get("/c/signal_type/index", signal_type="pdq").json()) == {"pdq"}
    refused = api.get("/c/signal_type/index", signal_type="x")
    assert message(refused, 400) == "No such signal type 'x'"
