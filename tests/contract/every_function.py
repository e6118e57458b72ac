"""All functions on one app, as the local runtime mounts them."""

from fastapi import FastAPI

from functions.web.app import build
from local_runtime.serve import ROUTERS


def app() -> FastAPI:
    return build(*ROUTERS)
