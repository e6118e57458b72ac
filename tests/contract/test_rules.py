"""Rules that hold on every route."""

import pytest

from tests.served import Served


@pytest.mark.parametrize(
    ("query", "content_ids"),
    [
        ("signal={own}&signal={other}", 1),
        ("signal={other}&signal={own}", 0),
        ("signal={own}&%73ignal={other}", 1),
        ("signal={own}&banks={bank}&banks=NO_SUCH", 1),
        ("signal={own}&banks=NO_SUCH&banks={bank}", 0),
    ],
)
def test_first_of_repeated_parameters_counts(
    api: Served, bank: str, signal: str, query: str, content_ids: int
) -> None:
    """Whatever comes after it, and however its name is escaped."""
    added = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    other = f"{int(signal, 16) ^ (2**256 - 1):064x}"
    query = query.format(own=signal, other=other, bank=bank)
    floor = added.headers["X-HMA-Snapshot"].replace(" ", "")
    answer = api.get(f"/m/raw_lookup?{query}&signal_type=pdq&min_snapshot={floor}")
    assert len(answer.json()["matches"]) == content_ids


def test_first_of_repeated_fields_counts(api: Served, bank: str) -> None:
    """In a form as in a query."""
    fields = [("signal_type", "pdq"), ("signal_type", "x"), ("signal_value", "0" * 64)]
    assert api.post("/ui/query_hash", data=fields).status_code == 200
    assert api.post("/ui/query_hash", data=fields[1:]).status_code == 400


def test_unknown_parameters_and_fields_are_ignored(api: Served, bank: str) -> None:
    """Clients send what later versions may know."""
    assert api.get(f"/c/bank/{bank}", unknown="x").status_code == 200
    assert api.get("/m/index/status", unknown="x").status_code == 200
    assert api.put(f"/c/bank/{bank}", json={"unknown": [1]}).status_code == 200
