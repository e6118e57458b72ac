"""Asking for the index of a type that is none: a mistake, whether or not there is a store."""

import json
from pathlib import Path

import pytest
from fastapi import APIRouter

from functions import match
from functions.curating import signal_type_routes
from functions.web.app import build
from tests.deployment import Deployment, settings_for
from tests.functions.walk import send


@pytest.mark.parametrize(
    ("router", "path"),
    [(match.router, "/m/index/status"), (signal_type_routes.router, "/c/signal_type/index")],
)
def test_an_unknown_type_needs_no_store(router: APIRouter, path: str, tmp_path: Path) -> None:
    """It is 400 where no store is configured; a type that there is, 503."""
    app = build(router, services=Deployment(settings_for(tmp_path, store_url=None)))
    status, answer = send(app, "GET", path, signal_type="sha0")
    assert (status, json.loads(answer)) == (400, {"message": "No such signal type 'sha0'"})
    assert send(app, "GET", path, signal_type="pdq")[0] == 503
