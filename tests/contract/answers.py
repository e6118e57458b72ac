"""What answers must look like whatever they say."""

import json

import requests


def message(answer: requests.Response, status: int) -> str:
    """The message of an error in form A, which `answer` must be, with this status."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    body = answer.json()
    assert list(body) == ["message"]
    assert_canonical(answer)
    return str(body["message"])


def assert_canonical(answer: requests.Response) -> None:
    """JSON with sorted keys, compact, in ASCII, with a newline at the end."""
    assert answer.headers["Content-Type"] == "application/json"
    text = json.dumps(answer.json(), sort_keys=True, separators=(",", ":"))
    assert answer.text == text + "\n"
