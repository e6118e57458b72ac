"""`/c/banks` and `/c/bank/<b>`: every row, status and message."""

import pytest

from tests.contract.answers import message
from tests.served import Served


def test_created_bank_is_listed_and_shown(api: Served) -> None:
    """A new bank is answered with 201, and then appears by itself and in the list."""
    created = api.post("/c/banks", json={"name": "NEW_BANK"})
    assert (created.status_code, created.text) == (
        201,
        '{"matching_enabled_ratio":1.0,"name":"NEW_BANK"}\n',
    )
    assert api.get("/c/bank/NEW_BANK").text == created.text
    assert created.json() in api.get("/c/banks").json()


@pytest.mark.parametrize(
    ("given", "ratio"),
    [
        ({"enabled_ratio": 0.25}, 0.25),
        ({"enabled_ratio": "0.5"}, 0.5),
        ({"enabled": False}, 0.0),
        ({"enabled": True}, 1.0),
        ({"enabled": False, "enabled_ratio": 0.75}, 0.75),
        ({"enabled_ratio": None}, 1.0),
        ({"unknown": [1]}, 1.0),
    ],
)
def test_new_bank_has_the_ratio_asked_for(
    api: Served, given: dict[str, object], ratio: float, signal: str
) -> None:
    """The ratio may be text, wins over `enabled`, is 1 if absent; unknown fields are ignored."""
    answer = api.post("/c/banks", json={"name": f"R_{signal.upper()}", **given})
    assert (answer.status_code, answer.json()["matching_enabled_ratio"]) == (201, ratio)


@pytest.mark.parametrize(
    "name", ["lower", "1BANK", "WITH SPACE", "DASH-ED", "", "NUL\0", "É", "A\n"]
)
def test_bank_names_are_upper_case(api: Served, name: str) -> None:
    """Other names are 400 with HMA's message."""
    answer = api.post("/c/banks", json={"name": name})
    assert message(answer, 400) == "Bank names must be UPPER_WITH_UNDERSCORE"


def test_bank_name_has_an_end(api: Served) -> None:
    """A name of 300 characters is refused, not a database's error."""
    assert "255" in message(api.post("/c/banks", json={"name": "A" * 300}), 400)


def test_bank_name_is_unique(api: Served, bank: str) -> None:
    """The name of a bank that exists is 403."""
    assert message(api.post("/c/banks", json={"name": bank}), 403) == "Bank already exists"


@pytest.mark.parametrize("ratio", [-0.1, 1.1, "inf", "nan"])
def test_ratio_is_a_share(api: Served, bank: str, ratio: object) -> None:
    """A ratio outside 0 to 1 is 400, for a new bank and for one that exists."""
    body = {"name": f"{bank}_X", "enabled_ratio": ratio}
    assert "between 0 and 1" in message(api.post("/c/banks", json=body), 400)
    changed = api.put(f"/c/bank/{bank}", json={"enabled_ratio": ratio})
    assert "between 0 and 1" in message(changed, 400)


def test_new_bank_needs_a_name(api: Served) -> None:
    """Form B: what pydantic says of the body, without where FastAPI found it."""
    answer = api.post("/c/banks", json={"enabled_ratio": "x"})
    assert answer.status_code == 422
    missing, unparsable = answer.json()
    assert missing.pop("url").startswith("https://errors.pydantic.dev/")
    assert missing == {
        "type": "missing",
        "loc": ["name"],
        "msg": "Field required",
        "input": {"enabled_ratio": "x"},
    }
    assert (unparsable["type"], unparsable["loc"]) == ("float_parsing", ["enabled_ratio"])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": "name=B"},
        {"json": ["B"]},
        {"json": None, "headers": {"Content-Type": "application/json"}},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b'{"name":"\xff"}', "headers": {"Content-Type": "application/json"}},
        {
            "data": b'{"name":"B","enabled_ratio":NaN}',
            "headers": {"Content-Type": "application/json"},
        },
        {"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}},
        {"data": b'{"name":"B"}', "headers": {"Content-Type": "text/plain"}},
    ],
    ids=["none", "form", "list", "empty", "broken", "latin-1", "nan", "deep", "text"],
)
def test_body_that_is_no_json_object(api: Served, bank: str, options: dict[str, object]) -> None:
    """Whatever is wrong with it as a whole: 422 `model_type` with an empty `loc`."""
    for answer in api.post("/c/banks", **options), api.put(f"/c/bank/{bank}", **options):
        assert answer.status_code == 422
        assert [(e["type"], e["loc"]) for e in answer.json()] == [("model_type", [])]


def test_bank_is_renamed_and_weighed(api: Served, bank: str) -> None:
    """PUT changes what it names, and the ratio wins over `enabled`."""
    renamed = api.put(f"/c/bank/{bank}", json={"name": f"{bank}_RENAMED"})
    assert (renamed.status_code, renamed.json()) == (
        200,
        {"matching_enabled_ratio": 1.0, "name": f"{bank}_RENAMED"},
    )
    assert api.get(f"/c/bank/{bank}").status_code == 404
    path = f"/c/bank/{bank}_RENAMED"
    assert api.put(path, json={"enabled": False}).json()["matching_enabled_ratio"] == 0.0
    both = api.put(path, json={"enabled": False, "enabled_ratio": 0.5})
    assert both.json()["matching_enabled_ratio"] == 0.5
    assert api.put(path, json={}).json()["matching_enabled_ratio"] == 0.5


def test_update_of_a_bank_that_is_not_there(api: Served) -> None:
    """PUT has a 404 message of its own."""
    assert message(api.put("/c/bank/NO_SUCH", json={}), 404) == "Bank not found"


def test_update_keeps_the_rules_of_names(api: Served, bank: str) -> None:
    """A new name is checked like that of a new bank; a taken one is 403."""
    refused = api.put(f"/c/bank/{bank}", json={"name": "lower"})
    assert message(refused, 400) == "Bank names must be UPPER_WITH_UNDERSCORE"
    api.post("/c/banks", json={"name": f"{bank}_TAKEN"})
    taken = api.put(f"/c/bank/{bank}", json={"name": f"{bank}_TAKEN"})
    assert message(taken, 403) == "Bank name already exists"


def test_deleted_bank_is_gone(api: Served, bank: str) -> None:
    """DELETE says Done, also of a bank that is not there."""
    for _ in range(2):
        answer = api.delete(f"/c/bank/{bank}")
        assert (answer.status_code, answer.text) == (200, '{"message":"Done"}\n')
    assert message(api.get(f"/c/bank/{bank}"), 404) == f"bank '{bank}' not found"


def test_bank_takes_its_content_along(api: Served, bank: str, signal: str) -> None:
    """What was in a deleted bank no longer matches, at once for a reader that asks for that."""
    api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    seen = api.delete(f"/c/bank/{bank}").headers["X-HMA-Snapshot"]
    found = api.get("/m/lookup", signal=signal, signal_type="pdq", min_snapshot=seen)
    assert (found.status_code, found.json()) == (200, {})


@pytest.mark.parametrize(
    "path", ["/c/bank/%00", "/c/bank/%ff", "/c/bank/" + "A" * 5000, "/c/bank/é"]
)
def test_odd_names_of_banks_are_not_found(api: Served, path: str) -> None:
    """A name no bank can have is 404, not an accident."""
    assert api.get(path).status_code == 404
