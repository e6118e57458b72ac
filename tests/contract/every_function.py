"""All functions on one app, as the local runtime mounts them."""

from fastapi import FastAPI

import functions.hash
from functions import curate, match, publish, status
from functions.web.app import build


def app() -> FastAPI:
    return build(functions.hash.router, match.router, curate.router, publish.router, status.router)
