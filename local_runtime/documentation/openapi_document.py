"""The description of all functions together, as the runtime serves it."""

import json

from functions.table import import_all_routers
from functions.web.app import build


def openapi() -> str:
    """`docs/openapi.json`."""
    return json.dumps(build(*import_all_routers()).openapi(), indent=1, sort_keys=True) + "\n"
