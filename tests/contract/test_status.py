"""The routes every deployment has: health, site map, OpenAPI; and what unknown paths answer."""

import re

import pytest

from tests.contract.answers import assert_canonical, message
from tests.contract.conftest import Serve
from tests.served import Served
from tests.waiting import until


def test_home_leads_to_the_status(api: Served) -> None:
    """`/` is a 302."""
    answer = api.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/status")


def test_status_with_an_index(api: Served) -> None:
    """Ready once each type's index is loaded."""
    for path in "/status", "/status/live":
        answer = api.get(path)
        assert (answer.status_code, answer.text) == (200, "I-AM-ALIVE")


def test_status_without_an_index(serve: Serve) -> None:
    """Before anything is published it lives, is not ready, and lookups are 503, not "no match"."""
    with serve() as empty:
        assert empty.get("/status/live").text == "I-AM-ALIVE"
        status = empty.get("/status")
        assert (status.status_code, status.text) == (503, "INDEX-NOT-LOADED")
        lookup = empty.get("/m/lookup", signal="0" * 64, signal_type="pdq")
        assert message(lookup, 503) == "index not yet ready"
        assert int(lookup.headers["Retry-After"]) >= 1
        assert empty.get("/m/index/status").json()["pdq"] == {
            "built_to": -1,
            "present": False,
            "size": 0,
        }


def test_status_of_a_stale_index(serve: Serve) -> None:
    """An index nobody has published for too long is not trusted to have no match."""
    with serve(max_stale_seconds=0.5, refresh_seconds=0.05) as neglected:
        neglected.post("/publish")
        until(lambda: neglected.get("/status").status_code == 503)
        assert neglected.get("/status").text == "INDEX-STALE"
        assert message(neglected.get("/m/lookup", signal="0" * 64, signal_type="pdq"), 503)
        neglected.post("/publish")
        until(lambda: neglected.get("/status").text == "I-AM-ALIVE")


def test_settings_that_cannot_be(serve: Serve) -> None:
    """A misspelt setting stops everything but the sign of life, and the answer says which it is."""
    with serve(refresh_second=1) as misconfigured:
        assert misconfigured.get("/status/live").status_code == 200
        assert "HMA_REFRESH_SECOND: unknown setting" in message(misconfigured.get("/c/banks"), 503)


def test_publish_answers_snapshots(api: Served, bank: str, signal: str) -> None:
    """A scheduler sees which snapshot of each type is the newest, and it never goes back."""
    before = api.post("/publish").json()
    api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    answer = api.post("/publish")
    assert_canonical(answer)
    after = answer.json()
    assert set(after) == {"pdq", "video_md5"}
    assert after["pdq"] > before["pdq"]
    assert after["video_md5"] == before["video_md5"]
    assert answer.headers["X-HMA-Snapshot"] == (
        f"pdq={after['pdq']}, video_md5={after['video_md5']}"
    )


def test_publish_may_rebuild(api: Served, bank: str, signal: str) -> None:
    """Every index is made anew, at once and with all it had; a plain run then finds it current."""
    banked = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}).json()["id"]
    before = api.post("/publish").json()
    assert api.post("/publish?rebuild=false").json() == before
    rebuilt = api.post("/publish?rebuild=true")
    assert all(number > before[name] for name, number in rebuilt.json().items())
    seen = rebuilt.headers["X-HMA-Snapshot"]
    found = api.get("/m/lookup", signal=signal, signal_type="pdq", min_snapshot=seen)
    assert [match["bank_content_id"] for match in found.json()[bank]] == [banked]
    assert api.post("/publish").json() == rebuilt.json()
    assert api.post("/publish?rebuild=perhaps").status_code == 422


def test_site_map(api: Served) -> None:
    """Every rule, spelt as HMA spells it, sorted, once."""
    answer = api.get("/site-map")
    assert_canonical(answer)
    rules = answer.json()
    assert rules == sorted(set(rules))
    assert {
        "/",
        "/c/bank/<bank_name>",
        "/c/bank/<bank_name>/content",
        "/c/bank/<bank_name>/content/<int:content_id>",
        "/c/bank/<bank_name>/signal",
        "/c/banks",
        "/h/hash",
        "/m/compare",
        "/m/index/status",
        "/m/lookup",
        "/m/raw_lookup",
        "/openapi/openapi.json",
        "/site-map",
        "/status",
        "/status/live",
    } <= set(rules)


def test_openapi_describes_every_route(api: Served) -> None:
    """OpenAPI 3.1 with HMA's title; each rule of the site map is in it."""
    answer = api.get("/openapi/openapi.json")
    assert_canonical(answer)
    spec = answer.json()
    assert spec["openapi"].startswith("3.1.")
    assert spec["info"]["title"] == "Open Media Match API"
    described = {re.sub(r"\{(\w+)\}", r"<\1>", path) for path in spec["paths"]}
    rules = {re.sub("int:", "", rule) for rule in api.get("/site-map").json()}
    assert {rule for rule in rules if not rule.startswith("/openapi")} == described
    assert spec["paths"]["/c/banks"]["post"]["requestBody"]["required"]
    errors = spec["paths"]["/c/banks"]["post"]["responses"]
    assert errors["422"]["content"]["application/json"]["schema"]["type"] == "array"
    assert errors["400"]["content"]["application/json"]["schema"]["$ref"].endswith("/Message")
    assert "multipart/form-data" in spec["paths"]["/h/hash"]["post"]["requestBody"]["content"]


@pytest.mark.parametrize("path", ["/openapi/", "/openapi/swagger"])
def test_documentation_pages(api: Served, path: str) -> None:
    """The pages people look at lead to the specification."""
    answer = api.get(path)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "/openapi/openapi.json" in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/c", "/c/", "/c/banks/", "/m", "/status/x", "/%00"])
def test_unknown_path(api: Served, path: str) -> None:
    """404 in form A."""
    message(api.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/c/banks"), ("PUT", "/h/hash"), ("POST", "/status"), ("GET", "/publish")],
)
def test_unknown_method(api: Served, method: str, path: str) -> None:
    """405 in form A, naming what is allowed."""
    answer = api.request(method, path)
    message(answer, 405)
    assert answer.headers["Allow"]


def test_leading_double_slash(api: Served, bank: str) -> None:
    """A client whose base URL ends in a slash is served."""
    assert api.get("//c/banks").text == api.get("/c/banks").text
    assert api.get(f"//c/bank/{bank}").json()["name"] == bank


def test_head_is_get_without_the_body(api: Served) -> None:
    """As HMA's Flask does it, and load balancers expect."""
    answer = api.request("HEAD", "/status")
    assert (answer.status_code, answer.text) == (200, "")
