"""Banking checks what clients call signals before anything is stored."""

from pathlib import Path
from typing import Any

import pytest

from core.curation.bank_signals import bank_signals
from core.errors import BadInput, NotFound
from tests.deployment import BANK, Deployment, settings_for

SIGNAL = "0123456789abcdef" * 4


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "store").mkdir()
    deployment = Deployment(settings_for(tmp_path))
    deployment.catalog.banks.create(BANK, 1.0)
    return deployment


def test_signals_are_stored_as_they_are_compared(deployment: Deployment) -> None:
    """A type that normalises has its normal form banked, so that what equals it matches."""
    md5 = SIGNAL[:32]
    content = bank_signals(
        deployment.signal_types,
        deployment.catalog,
        BANK,
        {"pdq": SIGNAL, "video_md5": f" {md5} "},
        metadata={"content_id": "a"},
        note="n",
    )
    assert content.signals == {"pdq": SIGNAL, "video_md5": md5}
    assert (content.metadata, content.note) == ({"content_id": "a"}, "n")
    assert deployment.catalog.contents.get(BANK, content.id) == content


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({}, "No signals given"),
        ({"sha0": SIGNAL}, "No such signal type sha0"),
        ({"url": "https://example.org"}, "No such signal type url"),
        ({"pdq": ""}, "Invalid pdq signal: invalid PDQ hash"),
        ({"pdq": 5}, "Invalid pdq signal: not a string"),
        ({"video_md5": SIGNAL[:32], "pdq": "x"}, "Invalid pdq signal: invalid PDQ hash"),
    ],
)
def test_one_bad_signal_stores_nothing(
    deployment: Deployment, signals: dict[str, Any], said: str
) -> None:
    """All of a content's signals are good, or there is no content."""
    with pytest.raises(BadInput) as raised:
        bank_signals(deployment.signal_types, deployment.catalog, BANK, signals)
    assert raised.value.message == said
    assert [*deployment.catalog.entries.every("video_md5")] == []


def test_bank_has_to_be_there(deployment: Deployment) -> None:
    """Good signals for a bank that is not there are not found, not bad."""
    with pytest.raises(NotFound, match="bank 'NO_SUCH' not found"):
        bank_signals(deployment.signal_types, deployment.catalog, "NO_SUCH", {"pdq": SIGNAL})
