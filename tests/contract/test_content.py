"""`/c/bank/<b>/content` and `/c/bank/<b>/signal`: every row, status and message."""

import json
import time

import pytest
import requests

from tests.contract.answers import assert_canonical, message
from tests.pictures import blank, photograph, truncated
from tests.served import Served

FILE = {"photo": ("picture.png", photograph(), "image/png")}
METADATA = {"content_id": "a1", "content_uri": "https://example.org/a1", "json": {"k": [1, None]}}


def added(answer: requests.Response) -> int:
    assert answer.status_code == 200, answer.text
    assert_canonical(answer)
    return int(answer.json()["id"])


def test_uploaded_file_is_banked(api: Served, bank: str) -> None:
    """An upload is hashed; the answer has the id and the signals, and names its snapshot."""
    answer = api.post(f"/c/bank/{bank}/content", files=FILE)
    content_id = added(answer)
    hashes = api.post("/h/hash", files=FILE).json()
    assert answer.json() == {"id": content_id, "signals": hashes}
    assert answer.headers["X-HMA-Snapshot"].startswith("pdq=")


def test_url_is_banked_with_metadata(api: Served, bank: str, pages: str) -> None:
    """With a URL, metadata and note come as a JSON body, and are answered as they were given."""
    answer = api.post(
        f"/c/bank/{bank}/content",
        params={"url": f"{pages}/photo.png"},
        json={"metadata": METADATA, "note": "seen in May"},
    )
    shown = api.get(f"/c/bank/{bank}/content/{added(answer)}").json()
    assert (shown["metadata"], shown["note"]) == (METADATA, "seen in May")


def test_url_needs_no_body(api: Served, bank: str, pages: str) -> None:
    """No JSON, or JSON that is no object, means no metadata; content type and types may be told."""
    query = {"url": f"{pages}/photo", "content_type": "photo", "types": "pdq"}
    for options in {}, {"json": ["x"]}:
        added(api.post(f"/c/bank/{bank}/content", params=query, **options))


def test_file_is_banked_with_metadata(api: Served, bank: str) -> None:
    """With an upload, metadata (as JSON text) and note are form fields; `json_data` is an alias."""
    fields = {"metadata": json.dumps({"json_data": {"k": 1}}), "note": "from a form"}
    content_id = added(api.post(f"/c/bank/{bank}/content", files=FILE, data=fields))
    shown = api.get(f"/c/bank/{bank}/content/{content_id}").json()
    assert (shown["metadata"], shown["note"]) == ({"json": {"k": 1}}, "from a form")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"metadata": "{"}, "metadata form field must be valid JSON"),
        ({"metadata": "[1]"}, "metadata should be a json object"),
        ({"metadata": '{"colour": 1}'}, "Invalid metadata: "),
        ({"metadata": '{"content_id": 1}'}, "Invalid metadata: "),
        ({"metadata": '{"json": "text"}'}, "Invalid metadata: "),
        ({"metadata": '{"content_id": "\\ud800"}'}, "Invalid metadata: "),
        ({"note": "x" * 256}, "note must be at most 255 characters"),
    ],
)
def test_form_fields_are_checked(api: Served, bank: str, fields: dict[str, str], said: str) -> None:
    """Each mistake in metadata or note has its message."""
    answer = api.post(f"/c/bank/{bank}/content", files=FILE, data=fields)
    assert message(answer, 400).startswith(said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"metadata": "text"}, "metadata should be a json object"),
        ({"metadata": {"colour": 1}}, "Invalid metadata: "),
        ({"note": 5}, "note should be a string"),
        ({"note": "x" * 256}, "note must be at most 255 characters"),
    ],
)
def test_json_beside_a_url_is_checked(
    api: Served, bank: str, pages: str, body: dict[str, object], said: str
) -> None:
    """The same mistakes in a JSON body have the same messages."""
    answer = api.post(f"/c/bank/{bank}/content", params={"url": f"{pages}/photo.png"}, json=body)
    assert message(answer, 400).startswith(said)


def test_content_needs_a_source(api: Served, bank: str) -> None:
    """Neither a URL nor a file is 400; so are the mistakes of `/h/hash`."""
    path = f"/c/bank/{bank}/content"
    nothing = "Neither `url` nor multipart file upload was received"
    assert message(api.post(path), 400) == nothing
    assert message(api.post(path, json={"note": "n"}), 400) == nothing
    assert message(api.post(path, files={"note": (None, "n")}), 400) == nothing
    assert message(api.post(path, files={"file": FILE["photo"]}), 400) == (
        "no such content_type: 'file'"
    )
    two = [("photo", FILE["photo"]), ("photo", FILE["photo"])]
    assert message(api.post(path, files=two), 400) == "Only one file allowed per request"
    message(api.post(path, files={"photo": ("a.jpg", truncated())}), 400)


def test_featureless_picture_is_not_banked(api: Served, bank: str) -> None:
    """A picture whose PDQ hash says nothing is refused rather than banked to match nothing."""
    answer = api.post(f"/c/bank/{bank}/content", files={"photo": ("blank.png", blank())})
    assert message(answer, 400) == "Invalid pdq signal: invalid PDQ hash"


def test_signals_are_banked(api: Served, bank: str, signal: str) -> None:
    """Every key but `note` is a signal type."""
    md5 = signal[:32]
    answer = api.post(
        f"/c/bank/{bank}/signal", json={"pdq": signal, "video_md5": md5, "note": "two of them"}
    )
    content_id = added(answer)
    assert answer.json() == {"id": content_id, "signals": {"pdq": signal, "video_md5": md5}}
    shown = api.get(f"/c/bank/{bank}/content/{content_id}", include_signals="true").json()
    assert (shown["signals"], shown["note"]) == (answer.json()["signals"], "two of them")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "No signals given"),
        ({"note": "alone"}, "No signals given"),
        ({"sha0": "x"}, "No such signal type sha0"),
        ({"pdq": "z" * 64}, "Invalid pdq signal: invalid PDQ hash"),
        ({"pdq": "ab"}, "Invalid pdq signal: invalid PDQ hash"),
        ({"pdq": "g" + "0" * 63}, "Invalid pdq signal: invalid PDQ hash"),
        ({"pdq": 5}, "Invalid pdq signal: "),
        ({"pdq": None}, "Invalid pdq signal: "),
        ({"video_md5": "x"}, "Invalid video_md5 signal: "),
        ({"pdq": "0" * 64, "note": 5}, "note should be a string"),
        ({"pdq": "0" * 64, "note": "x" * 256}, "note must be at most 255 characters"),
    ],
)
def test_signals_are_checked(api: Served, bank: str, body: dict[str, object], said: str) -> None:
    """A signal that is none is 400, before anything is stored."""
    assert message(api.post(f"/c/bank/{bank}/signal", json=body), 400).startswith(said)


def test_routes_that_read_json_say_so(api: Served, bank: str, signal: str) -> None:
    """Another content type is 415, other JSON than an object 400, on both routes."""
    posted = api.post(f"/c/bank/{bank}/signal", json={"pdq": signal})
    for method, path in (
        ("POST", f"/c/bank/{bank}/signal"),
        ("PUT", f"/c/bank/{bank}/content/{added(posted)}"),
    ):
        assert message(api.request(method, path, data="{}"), 415) == (
            "Did not attempt to load JSON data because the request Content-Type was not "
            "'application/json'."
        )
        headers = {"Content-Type": "application/json; charset=utf-8"}
        for body in b"[]", b"5", b"", b"{", b"\xff", b'"\xff"', b"NaN", b'{"a":1e999}':
            message(api.request(method, path, data=body, headers=headers), 400)


def test_content_is_shown(api: Served, bank: str, signal: str) -> None:
    """Signals on request, metadata and note when there are any."""
    content_id = added(api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}))
    path = f"/c/bank/{bank}/content/{content_id}"
    plain = {
        "bank": {"matching_enabled_ratio": 1.0, "name": bank},
        "disable_until_ts": 1,
        "id": content_id,
        "original_media_uri": None,
    }
    assert api.get(path).json() == plain
    assert api.get(path, include_signals="true").json() == plain | {"signals": {"pdq": signal}}
    assert api.get(path, include_signals="yes").json() == plain
    assert_canonical(api.get(path))


def test_metadata_can_be_left_out(api: Served, bank: str) -> None:
    """`include_metadata=false` leaves out what is there; the note stays."""
    fields = {"metadata": json.dumps(METADATA), "note": "n"}
    content_id = added(api.post(f"/c/bank/{bank}/content", files=FILE, data=fields))
    shown = api.get(f"/c/bank/{bank}/content/{content_id}", include_metadata="false").json()
    assert ("metadata" in shown, shown["note"]) == (False, "n")


def test_content_is_disabled_and_annotated(api: Served, bank: str, signal: str) -> None:
    """PUT answers the whole content under the names HMA gives its fields."""
    content_id = added(api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}))
    path = f"/c/bank/{bank}/content/{content_id}"
    disabled = api.put(path, json={"disable_until_ts": 0, "note": "wrong one"})
    assert (disabled.status_code, disabled.json()) == (
        200,
        {
            "bank": {"matching_enabled_ratio": 1.0, "name": bank},
            "collab_metadata": {},
            "disable_until_ts": 0,
            "id": content_id,
            "note": "wrong one",
            "original_media_uri": None,
            "user_metadata": None,
        },
    )
    later = int(time.time()) + 3600
    assert api.put(path, json={"disable_until_ts": str(later)}).json()["disable_until_ts"] == later
    for nothing in "", None:
        assert api.put(path, json={"note": nothing}).json()["note"] is None
    assert api.put(path, json={}).json()["disable_until_ts"] == later


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"disable_until_ts": -1}, "disable_until_ts must be a non-negative integer"),
        (
            {"disable_until_ts": 1 << 40},
            "disable_until_ts must be less than 5 years in the future",
        ),
        (
            {"disable_until_ts": int("9" * 400)},
            "disable_until_ts must be less than 5 years in the future",
        ),
        ({"disable_until_ts": "x"}, "Invalid int: 'x'"),
        ({"disable_until_ts": None}, "Invalid int: "),
        ({"disable_until_ts": [1]}, "Invalid int: "),
        ({"note": 5}, "note should be a string"),
        ({"note": "x" * 256}, "note must be at most 255 characters"),
        ({"note": "half a \ud800"}, "note must be"),
        ({"note": "NUL \0"}, "note must be"),
    ],
)
def test_changes_are_checked(
    api: Served, bank: str, signal: str, body: dict[str, object], said: str
) -> None:
    """Each mistake has its message, and changes nothing."""
    content_id = added(api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}))
    path = f"/c/bank/{bank}/content/{content_id}"
    assert message(api.put(path, json=body), 400).startswith(said)
    shown = api.get(path).json()
    assert (shown["disable_until_ts"], "note" in shown) == (1, False)


def test_content_is_deleted_once(api: Served, bank: str, signal: str) -> None:
    """The answer counts what was deleted."""
    content_id = added(api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}))
    path = f"/c/bank/{bank}/content/{content_id}"
    assert [api.delete(path).text for _ in range(2)] == ['{"deleted":1}\n', '{"deleted":0}\n']
    assert message(api.get(path), 404) == f"content '{content_id}' not found"


def test_content_belongs_to_its_bank(api: Served, bank: str, signal: str) -> None:
    """Another bank neither shows, changes nor deletes it."""
    content_id = added(api.post(f"/c/bank/{bank}/signal", json={"pdq": signal}))
    api.post("/c/banks", json={"name": f"{bank}_OTHER"})
    path = f"/c/bank/{bank}_OTHER/content/{content_id}"
    absent = f"content '{content_id}' not found"
    assert message(api.get(path), 404) == absent
    assert message(api.put(path, json={"disable_until_ts": 0}), 404) == absent
    assert api.delete(path).json() == {"deleted": 0}
    assert api.get(f"/c/bank/{bank}/content/{content_id}").json()["disable_until_ts"] == 1


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "content/1", {}),
        ("PUT", "content/1", {"json": {}}),
        ("DELETE", "content/1", {}),
        ("POST", "content", {"files": FILE}),
        ("POST", "content", {}),
        ("POST", "signal", {"json": {"pdq": "0" * 64}}),
        ("POST", "signal", {}),
    ],
)
def test_content_needs_its_bank(
    api: Served, method: str, path: str, options: dict[str, object]
) -> None:
    """Without the bank everything is 404, whatever else is wrong."""
    answer = api.request(method, f"/c/bank/NO_SUCH/{path}", **options)
    assert message(answer, 404) == "bank 'NO_SUCH' not found"


@pytest.mark.parametrize("content_id", ["x", "-1", "1.5", "%00", "1" * 5000])
def test_content_id_is_a_number(api: Served, bank: str, content_id: str) -> None:
    """Any other path segment is an unknown path: 404."""
    message(api.get(f"/c/bank/{bank}/content/{content_id}"), 404)


def test_absurd_content_ids_are_not_found(api: Served, bank: str) -> None:
    """A number that no database holds is just content that is not there."""
    for content_id in "0", "9" * 18, "9" * 30, "9" * 4000:
        path = f"/c/bank/{bank}/content/{content_id}"
        assert "not found" in message(api.get(path), 404)
        assert api.delete(path).json() == {"deleted": 0}
