"""The app as OpenAPI describes it: what the framework says, less what is not so."""

from typing import Any

from fastapi import FastAPI


class App(FastAPI):
    """An app whose description is true of how it answers."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _corrected(super().openapi())
        return self.openapi_schema


def _corrected(spec: dict[str, Any]) -> dict[str, Any]:
    """Without the 422 that is added to every route with a parameter; with the bearer token."""
    for path in spec["paths"].values():
        for operation in path.values():
            schema = operation["responses"].get("422", {}).get("content", {})
            if "HTTPValidationError" in str(schema):
                del operation["responses"]["422"]
    components = spec.setdefault("components", {})
    for unused in "HTTPValidationError", "ValidationError":
        components.get("schemas", {}).pop(unused, None)
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "One of HMA_API_TOKENS, where that is set.",
        }
    }
    spec["security"] = [{}, {"token": []}]
    for open_to_all in "/status", "/status/live", "/site-map":
        if open_to_all in spec["paths"]:
            spec["paths"][open_to_all]["get"]["security"] = []
            spec["paths"][open_to_all]["get"]["responses"].pop("401", None)
    return spec
