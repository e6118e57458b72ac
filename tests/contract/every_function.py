"""All functions on one app, as the local runtime mounts them."""

from fastapi import FastAPI

from functions.table import import_all_routers
from functions.web.app import build


def app() -> FastAPI:
    return build(*import_all_routers())
