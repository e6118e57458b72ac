"""How much content a bank has."""

import pytest

from core.catalog import Catalog
from core.errors import NotFound


def test_counts(catalog: Catalog) -> None:
    """A content with two types counts once, and once for each type."""
    catalog.banks.create("A")
    catalog.banks.create("B")
    catalog.contents.add("B", {"pdq": "f0"})
    first = catalog.contents.add("A", {"pdq": "p", "video_md5": "m"})
    catalog.contents.add("A", {"pdq": "f0"})
    catalog.contents.update("A", first.id, disable_until_ts=0)
    counts = catalog.banks.count_contents("A")
    assert (counts.contents, counts.not_enabled) == (2, 1)
    assert counts.by_type == {"pdq": 2, "video_md5": 1}
    catalog.banks.delete("A")
    with pytest.raises(NotFound):
        catalog.banks.count_contents("A")
