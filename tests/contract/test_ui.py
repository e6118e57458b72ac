"""`/ui/*`: what HMA's pages ask, and pages for errors."""

import random

import pytest

from tests.contract.answers import assert_canonical
from tests.deployment import altered
from tests.pictures import blank, photograph
from tests.served import Served

PHOTO = ("picture.png", photograph("coffee.png"), "image/png")


@pytest.fixture
def content_id(api: Served, bank: str, signal: str) -> int:
    """The content that `signal` was banked as; nobody's lookups find its bank but on bypass."""
    added = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal, "note": "n"})
    assert added.status_code == 200, added.text
    changed = api.put(f"/c/bank/{bank}", json={"enabled_ratio": 0})
    api.get(
        "/m/lookup",
        signal=signal,
        signal_type="pdq",
        min_snapshot=changed.headers["X-HMA-Snapshot"],
    )
    return int(added.json()["id"])


def page(api: Served, path: str, status: int, said: str, **options: object) -> None:
    """The answer to a POST is form C: an HTML page with this status that says so."""
    answer = api.post(path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    assert said in answer.text


def test_query_by_hash(api: Served, bank: str, signal: str, content_id: int) -> None:
    """Banks, hashes and matches, with the coin bypassed unless the form says otherwise."""
    near = altered(random.Random(1), signal, 5)
    form = {"signal_type": "pdq", "signal_value": near}
    answer = api.post("/ui/query_hash", data=form)
    assert_canonical(answer)
    assert answer.json() == {
        "banks": [bank],
        "hashes": {"pdq": near},
        "matches": [
            {
                "bank_name": bank,
                "content_id": content_id,
                "distance": "5",
                "note": "n",
                "signal_type": "pdq",
                "signal_value": near,
            }
        ],
    }
    for yes in "true", "TRUE":
        assert api.post("/ui/query_hash", data=form | {"bypass_enabled_ratio": yes}).json()["banks"]
    tossed = api.post("/ui/query_hash", data=form | {"bypass_enabled_ratio": "false"})
    assert tossed.json() == {"banks": [], "hashes": {"pdq": near}, "matches": []}


def test_query_by_file_and_url(api: Served, bank: str, pages: str) -> None:
    """Uploaded or fetched, nearest first; a picture that says too little matches nothing."""
    added = api.post(f"/c/bank/{bank}/content", files={"photo": ("p.png", photograph())})
    seen = added.headers["X-HMA-Snapshot"]
    api.post("/m/lookup", params={"min_snapshot": seen}, files={"photo": PHOTO})
    posted = api.post("/ui/query", files={"photo": ("p.png", photograph())}).json()
    assert posted["hashes"] == added.json()["signals"]
    assert bank in posted["banks"]
    assert added.json()["id"] in [match["content_id"] for match in posted["matches"]]
    distances = [int(match["distance"]) for match in posted["matches"]]
    assert distances == sorted(distances)
    form = {"url": f"{pages}/photo.png", "content_type": "photo"}
    assert api.post("/ui/query_url", data=form).json() == posted
    assert api.post("/ui/query", files={"photo": ("b.png", blank())}).json() == {
        "banks": [],
        "hashes": {"pdq": ""},
        "matches": [],
    }


def test_find_in_a_bank(api: Served, bank: str, signal: str, content_id: int, pages: str) -> None:
    """By a signal or by a URL, within that bank alone."""
    asked = {"signal_type": "pdq", "signal_value": signal}
    found = api.post(f"/ui/bank/{bank}/content/find", json=asked)
    assert_canonical(found)
    match = {
        "content_id": content_id,
        "distance": "0",
        "signal_type": "pdq",
        "signal_value": signal,
    }
    assert found.json() == {"bank_name": bank, "content_ids": [content_id], "matches": [match]}
    url = {"url": f"{pages}/photo.png", "content_type": "photo"}
    empty = {"bank_name": bank, "content_ids": [], "matches": []}
    assert api.post(f"/ui/bank/{bank}/content/find", json=url).json() == empty


def test_create_bank(api: Served) -> None:
    """A form's bank is made, and the browser led back."""
    made = api.post("/ui/create_bank", data={"bank_name": "FROM_A_FORM"})
    assert (made.status_code, made.headers["Location"]) == (302, "./")
    assert api.get("/c/bank/FROM_A_FORM").json()["matching_enabled_ratio"] == 1.0
    page(api, "/ui/create_bank", 403, "Bank already exists", data={"bank_name": "FROM_A_FORM"})


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("query", {}, "Missing multipart/form-data file upload"),
        ("query", {"files": {"file": PHOTO}}, "no such content_type: &#x27;file&#x27;"),
        ("query_url", {"data": {"content_type": "photo"}}, "URL is required"),
        ("query_url", {"data": {"url": "http://x/"}}, "Content type is required"),
        (
            "query_url",
            {"data": {"url": "file:///x", "content_type": "photo"}},
            "Failed to hash URL content: Invalid or unsafe URL provided",
        ),
        ("query_hash", {"data": {"signal_value": "0"}}, "Signal type is required"),
        ("query_hash", {"data": {"signal_type": "pdq"}}, "Signal value is required"),
        ("query_hash", {"json": {"signal_type": "pdq"}}, "Signal type is required"),
        (
            "query_hash",
            {"data": {"signal_type": "<b>", "signal_value": "0"}},
            "No such SignalType &#x27;&lt;b&gt;&#x27;",
        ),
        ("create_bank", {}, "Bank name is required"),
        ("create_bank", {"data": {"bank_name": "x"}}, "Bank names must be UPPER_WITH_UNDERSCORE"),
    ],
)
def test_what_is_missing_is_said(
    api: Served, path: str, options: dict[str, object], said: str
) -> None:
    """On a page, with what was given escaped."""
    page(api, f"/ui/{path}", 400, said, **options)


def test_find_says_what_is_missing(api: Served, bank: str) -> None:
    """Neither way to ask is complete; no such bank; no JSON at all is form B."""
    path = f"/ui/bank/{bank}/content/find"
    page(api, path, 400, "content_type required when searching by URL", json={"url": "http://x/"})
    page(api, path, 400, "required", json={"signal_type": "pdq"})
    page(api, "/ui/bank/NO_SUCH/content/find", 404, "bank &#x27;NO_SUCH&#x27; not found", json={})
    assert api.post(path).json()[0]["type"] == "model_type"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/ui/nothing", 404), ("GET", "/ui/query", 405), ("GET", "/ui", 404)],
)
def test_other_errors_are_pages_too(api: Served, method: str, path: str, status: int) -> None:
    """Form C: an unknown path and a 405 below `/ui`; beside it everything is form A."""
    answer = api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert api.request(method, "/uix").headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        *("/dev/setup_sample_example", "/dev/setup_tx_example", "/dev/seed_banks"),
        *("/dev/run_fetch", "/dev/factory_reset"),
    ],
)
def test_no_development_routes(api: Served, path: str) -> None:
    """What resets or fills a deployment is not there."""
    for method in "GET", "POST":
        assert api.request(method, path).status_code == 404
