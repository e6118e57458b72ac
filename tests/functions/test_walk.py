"""The way of a lookup through the project: as docs/architecture.md tells it, and short."""

import json
import re
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI

from functions import match
from functions.web.app import build
from tests.deployment import BANK, Deployment, settings_for
from tests.functions.walk import ROOT, Walk, follow, send
from tests.pictures import photograph

MOST_NAMES = 9

BOUNDARY = "walk"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n'
    "Content-Type: image/png\r\n\r\n"
).encode()


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """The match function, and an index of the picture that is uploaded."""
    deployment = Deployment(settings_for(tmp_path, refresh_seconds=3600))
    deployment.publisher.publish_all()
    app = build(match.router, services=deployment)
    _, answer = upload(app, "/m/hash_and_match")
    deployment.add(json.loads(answer)["hashes"]["pdq"])
    number = deployment.publisher.publish("pdq")
    deployment.index.get("pdq", number)
    return app


def upload(app: FastAPI, path: str) -> tuple[int, bytes]:
    body = UPLOAD + photograph("coffee.png") + f"\r\n--{BOUNDARY}--\r\n".encode()
    return send(
        app, "POST", path, body=body, content_type=f"multipart/form-data; boundary={BOUNDARY}"
    )


def documented(route: str) -> list[str]:
    """The files that the document lists for `route`, in order."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split(f"## {route}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| \d+ \| `([^`]+)` \|", section, re.MULTILINE)


def test_a_lookup_by_signal(app: FastAPI) -> None:
    """It passes the files that the document lists, in order, and its signal at most nine names."""
    _, hashed = upload(app, "/m/hash_and_match")
    signal = json.loads(hashed)["hashes"]["pdq"]
    request = partial(send, app, "GET", "/m/lookup", signal=signal, signal_type="pdq")
    request()
    walk = Walk(signal, match.lookup)
    status, answer = follow(walk, request)
    assert (status, list(json.loads(answer))) == (200, [BANK])
    assert walk.names[0] == "lookup"
    assert walk.names[-1] == "BinarySignals.near"
    assert len(walk.names) <= MOST_NAMES, walk.names
    assert walk.files == documented("GET /m/lookup, by signal")


def test_a_lookup_by_upload(app: FastAPI) -> None:
    """The same of a picture, whose signal is made on the way."""
    _, hashed = upload(app, "/m/hash_and_match")
    walk = Walk(json.loads(hashed)["hashes"]["pdq"], match.lookup_upload)
    status, answer = follow(walk, partial(upload, app, "/m/lookup"))
    assert (status, list(json.loads(answer)["pdq"])) == (200, [BANK])
    assert len(walk.names) <= MOST_NAMES, walk.names
    assert walk.files == documented("POST /m/lookup, by upload")
