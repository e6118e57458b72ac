"""`Authorization: Bearer`: who is let in where tokens are asked for."""

from collections.abc import Iterator

import pytest

from tests.contract.answers import message
from tests.contract.conftest import Serve
from tests.served import Served


@pytest.fixture(scope="module")
def guarded(serve: Serve) -> Iterator[Served]:
    """A server that knows two tokens."""
    with serve(api_tokens="first, sécond") as served:
        yield served


def bearer(text: str) -> dict[str, bytes]:
    return {"Authorization": text.encode()}


@pytest.mark.parametrize("path", ["/status", "/status/live", "/site-map"])
def test_signs_of_life_stay_open(guarded: Served, path: str) -> None:
    """What a load balancer asks needs no token."""
    assert guarded.get(path).status_code in (200, 503)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer   ",
        "Bearer wrong",
        "Bearer firs",
        "Bearer first second",
        "Basic first",
        "first",
    ],
)
def test_others_are_kept_out(guarded: Served, header: str | None) -> None:
    """No token, an empty one, an unknown one, another scheme: 401 on every other route."""
    headers = {} if header is None else bearer(header)
    rules = guarded.get("/site-map").json()
    assert "/c/banks" in rules
    for rule in set(rules) - {"/status", "/status/live", "/site-map"}:
        path = rule.replace("<bank_name>", "B").replace("<int:content_id>", "1")
        answer = guarded.request("GET", path, headers=headers)
        assert "Authorization: Bearer" in answer.text, path
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("header", ["Bearer first", "bearer first", "Bearer sécond"])
def test_each_token_lets_in(guarded: Served, header: str) -> None:
    """Whichever is known, and however the scheme is spelt."""
    answer = guarded.request("GET", "/c/banks", headers=bearer(header))
    assert (answer.status_code, answer.json()) == (200, [])


def test_body_of_a_stranger_is_not_read(guarded: Served) -> None:
    """A stranger hears of the missing token, not of the size of the body."""
    answer = guarded.post("/h/hash", files={"photo": bytes(21 << 20)})
    assert "Authorization: Bearer" in message(answer, 401)


@pytest.mark.parametrize("header", ["Bearer ", "Bearer anything", "Basic eDp5"])
def test_without_tokens_everybody_is_let_in(api: Served, header: str) -> None:
    """Where none are set, HMA's clients may send what they like."""
    assert api.request("GET", "/c/banks", headers=bearer(header)).status_code == 200
