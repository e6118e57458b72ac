"""`/c/exchanges*`, `/c/exchange/*`, `/fetch` and opinions: every row, status and message."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local_runtime.demo.fake_exchanges import FakeStopNcii
from tests.contract.answers import assert_canonical, message
from tests.contract.conftest import Serve
from tests.served import Served

OURS = ["fb_threatexchange", "local_file", "ncmec", "sample", "stop_ncii", "tat"]
TOKEN = "1234567890|a-token-nobody-may-read"


@pytest.fixture
def listed(api: Served, tmp_path: Path, bank: str) -> Iterator[tuple[str, Path]]:
    """The name of a new exchange, and the file with the signals that it reads."""
    name, file = f"FILE_{bank}", tmp_path / "signals"
    file.write_text("")
    made = create(api, name, "local_file", {"filename": str(file), "signal_type": "pdq"})
    assert (made.status_code, made.text) == (201, '{"message":"Created successfully"}\n')
    yield name, file
    assert api.delete(f"/c/exchange/{name}").status_code == 200


def create(api: Served, name: str, kind: str, config: object = None) -> requests.Response:
    """Ask for an exchange."""
    given = {} if config is None else {"api_json": config}
    return api.post("/c/exchanges", json={"bank": name, "api": kind, **given})


def fetched(api: Served, name: str) -> dict[str, Any]:
    """Fetch an exchange: the report on it."""
    answer = api.post(f"/fetch?exchange={name}")
    assert answer.status_code == 200, answer.text
    assert_canonical(answer)
    report: dict[str, Any] = answer.json()["exchanges"][name]
    return report


def banks_matching(api: Served, signal: str, report: dict[str, Any]) -> dict[str, list[Any]]:
    """The matches of a signal by bank, in a snapshot that has what was fetched."""
    seen = report["snapshots"]["pdq"]
    answer = api.get("/m/lookup", signal=signal, signal_type="pdq", min_snapshot=seen)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[Any]] = answer.json()
    return found


def test_apis_are_listed(api: Served) -> None:
    """The names of all that come with us."""
    answer = api.get("/c/exchanges/apis")
    assert answer.json() == OURS
    assert_canonical(answer)


def test_credentials_are_set_and_deleted_and_never_shown(api: Served) -> None:
    """{} deletes them, their absence changes nothing, and no answer repeats one."""
    path = "/c/exchanges/api/fb_threatexchange"
    unset = '{"has_set_authentification":false,"supports_authentification":true}\n'
    isset = unset.replace("false", "true", 1)
    assert api.get(path).text == unset
    answers = [
        api.post(path, json={"credential_json": {"api_token": TOKEN}}),
        api.post(path, json={}),
        api.post(path, json={"credential_json": None}),
        api.get(path),
    ]
    assert [(one.status_code, one.text) for one in answers] == [(200, isset)] * 4
    assert api.post(path, json={"credential_json": {}}).text == unset
    assert api.get(path).text == unset


def test_apis_without_credentials_say_so(api: Served) -> None:
    """They can't be given any."""
    path = "/c/exchanges/api/sample"
    no = '{"has_set_authentification":false,"supports_authentification":false}\n'
    assert api.get(path).text == no
    assert api.post(path, json={"credential_json": {}}).text == no
    refused = api.post(path, json={"credential_json": {"api_token": TOKEN}})
    assert message(refused, 400) == "Exchange API 'sample' takes no credentials"


@pytest.mark.parametrize(
    "given",
    [{"api_token": TOKEN.replace("|", "")}, {"api_token": 5}, {"token": TOKEN}, [TOKEN], TOKEN],
)
def test_bad_credentials_are_not_repeated(api: Served, given: object) -> None:
    """400, where HMA has 500, and whoever reads the message learns nothing."""
    refused = api.post("/c/exchanges/api/fb_threatexchange", json={"credential_json": given})
    said = message(refused, 400)
    assert "nobody-may-read" not in said
    assert "1234567890" not in said


def test_what_is_no_credentials_request(api: Served) -> None:
    """An unknown API, something else than JSON or an object."""
    assert message(api.get("/c/exchanges/api/x"), 400) == "no such Exchange API 'x'"
    assert message(api.post("/c/exchanges/api/x", json={}), 400) == "no such Exchange API 'x'"
    path = "/c/exchanges/api/ncmec"
    assert message(api.post(path, json=[]), 400) == "this endpoint expects a json object payload"
    assert "Content-Type was not 'application/json'" in message(api.post(path, data="{}"), 415)


def test_schemas_of_configuration_and_credentials(api: Served) -> None:
    """What a form needs: each field's name, type, default, help and choices."""
    answer = api.get("/c/exchanges/api/ncmec/schema")
    assert answer.status_code == 200
    config = {one["name"]: one for one in answer.json()["config_schema"]["fields"]}
    assert set(config) == {"environment", "only_esp_ids"}
    assert (config["environment"]["type"], config["environment"]["required"]) == ("enum", True)
    assert len(config["environment"]["choices"]) > 1
    assert config["only_esp_ids"] | {"help": None} == {
        "name": "only_esp_ids",
        "type": "set_of_number",
        "required": False,
        "default": [],
        "help": None,
        "choices": None,
    }
    credentials = answer.json()["credentials_schema"]["fields"]
    assert [(one["name"], one["type"], one["required"]) for one in credentials] == [
        ("user", "string", True),
        ("password", "string", True),
    ]


@pytest.mark.parametrize(
    ("name", "config", "credentials"),
    [
        ("fb_threatexchange", {"privacy_group": ("number", True)}, {"api_token": ("string", True)}),
        (
            "stop_ncii",
            {},
            {
                "fetch_function_key": ("string", True),
                "subscription_key": ("string", True),
                "base_url_override": ("string", False),
            },
        ),
        ("sample", {}, None),
        ("local_file", {"filename": ("string", True), "signal_type": ("string", False)}, None),
    ],
)
def test_schema_of_each_api(api: Served, name: str, config: object, credentials: object) -> None:
    """Its own fields, without those of every exchange."""
    schema = api.get(f"/c/exchanges/api/{name}/schema").json()

    def shape(part: Any) -> object:
        return part and {one["name"]: (one["type"], one["required"]) for one in part["fields"]}

    assert shape(schema["config_schema"]) == config
    assert shape(schema["credentials_schema"]) == credentials


def test_schema_of_an_unknown_api(api: Served) -> None:
    """Is 404."""
    said = message(api.get("/c/exchanges/api/x/schema"), 404)
    assert said == "Exchange API 'x' not found"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "bank is required"),
        ({"bank": "lower"}, "Field `bank` must match /^[A-Z0-9_]+$/"),
        ({"bank": "A\n"}, "Field `bank` must match /^[A-Z0-9_]+$/"),
        ({"bank": 5}, "Field `bank` must match /^[A-Z0-9_]+$/"),
        ({"bank": "A" * 256}, "Field `bank` must be at most 255 characters"),
        ({"bank": "A", "api": "sample", "api_json": []}, "Field `api_json` must be object"),
        ({"bank": "A"}, "Field `api_type` is required"),
        ({"bank": "A", "api": "x"}, "No such exchange type 'x'"),
        ({"bank": "A", "api": ["x"]}, "No such exchange type '['x']'"),
    ],
)
def test_what_makes_no_exchange(api: Served, body: object, said: str) -> None:
    """HMA's messages."""
    assert message(api.post("/c/exchanges", json=body), 400) == said


@pytest.mark.parametrize("config", [{}, {"privacy_group": "five"}, {"privacy_group": None}])
def test_configuration_is_parsed(api: Served, config: object) -> None:
    """A missing field, or one of another type."""
    said = message(create(api, "PARSED", "fb_threatexchange", config), 400)
    assert said.startswith("Failed to parse `api_json` - ")
    assert "PARSED" not in api.get("/c/exchanges").json()


def test_exchange_is_made_with_its_bank(api: Served, signal: str) -> None:
    """Both are there, and the exchange shows what it was made with, as its API reads it."""
    name = f"TX_{signal[:8].upper()}"
    config = {"privacy_group": 5, "unknown": 1}
    assert create(api, name, "fb_threatexchange", config).status_code == 201
    assert name in api.get("/c/exchanges").json()
    assert api.get(f"/c/exchange/{name}").text == (
        f'{{"api":"fb_threatexchange","enabled":true,"name":"{name}","privacy_group":5}}\n'
    )
    assert api.get(f"/c/bank/{name}").json()["matching_enabled_ratio"] == 1.0


def test_names_are_taken_once(api: Served, bank: str, listed: tuple[str, Path]) -> None:
    """By an exchange or a bank: 403, where HMA has 500."""
    assert message(create(api, listed[0], "sample"), 403) == "Exchange already exists"
    assert message(create(api, bank, "sample"), 403) == "Bank already exists"
    assert bank not in api.get("/c/exchanges").json()


def test_a_name_may_begin_with_a_digit(api: Served, signal: str) -> None:
    """Which a bank's may not, but HMA makes such banks for exchanges."""
    name = f"1_{signal[:8].upper()}"
    assert create(api, name, "sample").status_code == 201
    assert api.get(f"/c/bank/{name}").status_code == 200


def test_exchange_is_switched_off_and_on(api: Served, listed: tuple[str, Path]) -> None:
    """The answer is the configuration; one that is off cannot be fetched."""
    name, file = listed
    off = api.put(f"/c/exchange/{name}", json={"enabled": False})
    assert off.status_code == 200
    assert off.json() == {
        "api": "local_file",
        "enabled": False,
        "filename": str(file),
        "name": name,
        "signal_type": "pdq",
    }
    assert api.get(f"/c/exchange/{name}").text == off.text
    refused = message(api.post(f"/fetch?exchange={name}"), 400)
    assert refused == f"Exchange '{name}' is disabled"
    assert api.put(f"/c/exchange/{name}", json={"enabled": "true"}).json()["enabled"] is True
    assert api.put(f"/c/exchange/{name}", json={}).json()["enabled"] is True
    assert api.put(f"/c/exchange/{name}", json={"enabled": "perhaps"}).status_code == 422
    assert api.put(f"/c/exchange/{name}", data="x").status_code == 422


@pytest.mark.parametrize("path", ["", "/status", "/progress", "/poisoned"])
def test_an_exchange_that_is_not_there(api: Served, path: str) -> None:
    """Is 404, on each of its routes."""
    said = "Exchange 'NONE' not found"
    assert message(api.get(f"/c/exchange/NONE{path}"), 404) == said
    assert message(api.put("/c/exchange/NONE", json={}), 404) == said
    assert message(api.post("/fetch?exchange=NONE"), 404) == said


def test_a_deleted_exchange_takes_its_bank_along(api: Served, signal: str, tmp_path: Path) -> None:
    """Also when it is not there, the answer is the same; its content stops matching."""
    name, file = f"GONE_{signal[:8].upper()}", tmp_path / "signals"
    file.write_text(signal)
    create(api, name, "local_file", {"filename": str(file), "signal_type": "pdq"})
    assert list(banks_matching(api, signal, fetched(api, name))) == [name]
    gone = api.delete(f"/c/exchange/{name}")
    assert (gone.status_code, gone.text) == (200, '{"message":"Exchange deleted"}\n')
    assert api.delete(f"/c/exchange/{name}").text == gone.text
    assert api.get(f"/c/bank/{name}").status_code == 404
    assert api.get(f"/c/exchange/{name}").status_code == 404
    seen = {"min_snapshot": gone.headers["X-HMA-Snapshot"]}
    assert api.get("/m/lookup", signal=signal, signal_type="pdq", **seen).json() == {}


def test_a_bank_takes_the_exchange_that_feeds_it_along(
    api: Served, signal: str, tmp_path: Path
) -> None:
    """Deleting it is 200; it matches no more, and the name is free for both again."""
    name, file = f"FED_{signal[:8].upper()}", tmp_path / "signals"
    file.write_text(signal)
    config = {"filename": str(file), "signal_type": "pdq"}
    assert create(api, name, "local_file", config).status_code == 201
    assert list(banks_matching(api, signal, fetched(api, name))) == [name]
    gone = api.delete(f"/c/bank/{name}")
    assert (gone.status_code, gone.text) == (200, '{"message":"Done"}\n')
    assert api.get(f"/c/exchange/{name}").status_code == 404
    seen = {"min_snapshot": gone.headers["X-HMA-Snapshot"]}
    assert api.get("/m/lookup", signal=signal, signal_type="pdq", **seen).json() == {}
    assert create(api, name, "local_file", config).status_code == 201
    assert list(banks_matching(api, signal, fetched(api, name))) == [name]
    assert api.delete(f"/c/bank/{name}").status_code == 200


def test_status_before_and_after_a_fetch(
    api: Served, listed: tuple[str, Path], signal: str
) -> None:
    """HMA's six keys and no other, and ours that tells what is fetched from what is indexed."""
    name, file = listed
    assert api.get(f"/c/exchange/{name}/status").text == (
        '{"checkpoint_ts":null,"fetched_items":0,"last_fetch_complete_ts":null,'
        '"last_fetch_succeeded":null,"running_fetch_start_ts":null,"up_to_date":false}\n'
    )
    assert api.get(f"/c/exchange/{name}/progress").json()["ready"] is False
    file.write_text(f"{signal}\n")
    report = fetched(api, name)
    assert (report["fetched"], report["added"], report["up_to_date"]) == (1, 1, True)
    assert set(report["snapshots"]) == {"pdq"}
    status = api.get(f"/c/exchange/{name}/status").json()
    assert status["last_fetch_complete_ts"] > 1_600_000_000
    assert status | {"last_fetch_complete_ts": 0} == {
        "checkpoint_ts": None,
        "fetched_items": 1,
        "last_fetch_complete_ts": 0,
        "last_fetch_succeeded": True,
        "running_fetch_start_ts": None,
        "up_to_date": True,
    }
    progress = api.get(f"/c/exchange/{name}/progress").json()
    assert progress["ready"] is True
    assert progress["unpublished"] == 0
    assert progress["fetched"] == {
        "contents": 1,
        "poisoned": 0,
        "records": 1,
        "signals": {"pdq": 1},
    }
    assert list(banks_matching(api, signal, report)) == [name]


def test_a_failed_fetch_is_told(api: Served, listed: tuple[str, Path]) -> None:
    """In its report and in both statuses; the request itself has succeeded."""
    name, file = listed
    file.unlink()
    assert str(file) in str(fetched(api, name)["error"])
    status = api.get(f"/c/exchange/{name}/status").json()
    assert (status["last_fetch_succeeded"], status["up_to_date"]) == (False, False)
    progress = api.get(f"/c/exchange/{name}/progress").json()
    assert str(file) in progress["fetch"]["error"]
    assert progress["fetch"]["failures"] == 1
    assert progress["ready"] is False


def test_poisoned_records_are_listed_with_their_reason(
    api: Served, listed: tuple[str, Path], signal: str
) -> None:
    """They hold up nobody else, and can be paged through."""
    name, file = listed
    file.write_text(f"bad\n{signal}\nworse\n")
    report = fetched(api, name)
    assert (report["added"], report["poisoned"], report["error"]) == (1, 2, None)
    first = api.get(f"/c/exchange/{name}/poisoned", limit=1).json()
    assert len(first["records"]) == 1
    assert set(first["records"][0]) == {"key", "reason", "record"}
    assert "pdq" in first["records"][0]["reason"]
    second = api.get(f"/c/exchange/{name}/poisoned", after=first["following"]).json()
    assert (len(second["records"]), second["following"]) == (1, None)
    assert api.get(f"/c/exchange/{name}/poisoned", limit=0).status_code == 422


def test_all_that_are_due_are_fetched(api: Served, listed: tuple[str, Path]) -> None:
    """Without a name; what failed a moment ago is left alone for a while."""
    name, file = listed
    assert name in api.post("/fetch").json()["exchanges"]
    file.unlink()
    assert fetched(api, name)["error"]
    assert name not in api.post("/fetch").json()["exchanges"]
    assert api.post("/fetch?seconds=0").status_code == 422


def test_opinions_are_recorded_and_sent_only_if_asked_for(serve: Serve, signal: str) -> None:
    """Off at first. Switched on, the exchange hears of those that come after that, once."""
    with FakeStopNcii() as fake, serve() as api:
        fake.ledger.add(signal)
        own = fake.credentials() | {"base_url_override": fake.url}
        assert api.post("/c/exchanges/api/stop_ncii", json={"credential_json": own}).ok
        assert create(api, "NCII", "stop_ncii").status_code == 201
        (found,) = banks_matching(api, signal, fetched(api, "NCII"))["NCII"]
        path = f"/c/bank/NCII/content/{found['bank_content_id']}/opinion"
        off = api.post(path, json={"opinion": "true_positive"})
        assert (off.status_code, off.json()["state"]) == (200, "recorded")
        api.post("/fetch")
        assert fake.reported == []
        api.put("/c/exchange/NCII", json={"report_opinions": True})
        on = api.post(path, json={"opinion": "false_positive"}).json()
        assert on["state"] == "queued"
        assert api.get("/c/exchange/NCII/progress").json()["opinions"] == {
            "queued": 1,
            "recorded": 1,
        }
        sent = api.post("/fetch").json()["opinions"]
        assert sent == {"NCII": {"postponed": 0, "refused": 0, "sent": 1}}
        assert len(fake.reported) == 1
        assert signal in fake.reported[0].about
        assert [one["state"] for one in api.get(path).json()] == ["recorded", "sent"]
        log = Path(api.log).read_text()
        assert not any(secret in log for secret in fake.credentials().values())


def test_opinions_need_an_exchange_and_a_word(api: Served, bank: str, signal: str) -> None:
    """400 for content that came from nowhere, 422 for another word, 404 for what is not there."""
    content = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}).json()["id"]
    path = f"/c/bank/{bank}/content/{content}/opinion"
    said = message(api.post(path, json={"opinion": "true_positive"}), 400)
    assert said == f"content '{content}' came from no exchange"
    assert api.get(path).json() == []
    assert api.post(path, json={"opinion": "perhaps"}).status_code == 422
    there = f"/c/bank/{bank}/content/999999999/opinion"
    assert message(api.get(there), 404) == "content '999999999' not found"
    assert json.loads(api.post(there, json={"opinion": "true_positive"}).text).keys() == {"message"}
