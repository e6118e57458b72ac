"""The app as OpenAPI describes it: what the framework says, less what is not so.

An answer's class is called as its schema is, with `Answer` behind that where the program has
another thing of this name: `BankAnswer` is what clients know as `Bank`.
"""

from typing import Any

from fastapi import FastAPI

from functions.table import open_paths


class App(FastAPI):
    """An app whose description is true of how it answers."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _with_client_names(_corrected(super().openapi()))
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
    for path in open_paths() & spec["paths"].keys():
        spec["paths"][path]["get"]["security"] = []
        spec["paths"][path]["get"]["responses"].pop("401", None)
    return spec


def _with_client_names(node: Any) -> Any:
    """`node` of a description with every class called as clients know it.

    Raises:
        ValueError: two classes would have one name.
    """
    if isinstance(node, list):
        return [_with_client_names(item) for item in node]
    if not isinstance(node, dict):
        return node
    renamed = {_client_name(key): _with_client_names(value) for key, value in node.items()}
    if len(renamed) < len(node):
        raise ValueError(f"two schemas of one name among {', '.join(node)}")
    for key in "$ref", "title":
        if isinstance(renamed.get(key), str):
            renamed[key] = _client_name(renamed[key])
    return renamed


def _client_name(name: str) -> str:
    return name.removesuffix("Answer")
