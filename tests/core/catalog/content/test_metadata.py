"""Metadata: which is taken, in what form it is kept, and what is refused."""

import math
from typing import Any

import pytest

from core.catalog.content.metadata import checked_metadata
from core.errors import BadInput


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ({}, None),
        ({"content_id": None}, None),
        ({"content_id": "x"}, {"content_id": "x"}),
        ({"content_uri": "x", "content_id": None}, {"content_uri": "x"}),
        ({"json": {"a": [None, 1, 2**80]}}, {"json": {"a": [None, 1, 2**80]}}),
        ({"json_data": {"a": {"b": None}}}, {"json": {"a": {"b": None}}}),
        ({"json": {}}, {"json": {}}),
    ],
)
def test_metadata_is_kept_under_the_names_of_the_contract(given: Any, kept: Any) -> None:
    """Without what is null, and `json_data` is `json`; nothing left is no metadata."""
    assert checked_metadata(given) == kept


@pytest.mark.parametrize("given", ["x", 1, ["content_id"], True])
def test_metadata_is_an_object(given: Any) -> None:
    """Text, numbers and lists are refused in the words of the contract."""
    with pytest.raises(BadInput, match=r"^metadata should be a json object$"):
        checked_metadata(given)


@pytest.mark.parametrize(
    "given",
    [
        {"other": 1},
        {"content_id": 7},
        {"content_uri": ["x"]},
        {"json": "x"},
        {"json": [1]},
        {"content_id": "x\0"},
        {"content_id": "\ud800"},
        {"json": {"a": [{"b\0": 1}]}},
        {"json": {"a": ["\udfff"]}},
        {"json": {"a": math.nan}},
        {"json": {"a": math.inf}},
        {"json": {"a": nested(100_000)}},
    ],
    ids=lambda given: repr(given)[:40] if isinstance(given, dict) and "json" not in given else None,
)
def test_other_metadata_is_refused(given: Any) -> None:
    """Unknown keys, wrong types, text no database holds, numbers JSON lacks, endless nesting."""
    with pytest.raises(BadInput, match=r"^Invalid metadata: "):
        checked_metadata(given)


def test_a_refusal_names_each_problem() -> None:
    """All at once, so that a client corrects them together."""
    with pytest.raises(BadInput) as raised:
        checked_metadata({"content_id": 7, "other": 1})
    assert raised.value.message == (
        "Invalid metadata: content_id: Input should be a valid string; "
        "other: Extra inputs are not permitted"
    )
