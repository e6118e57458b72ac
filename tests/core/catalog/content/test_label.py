"""Labels: how they are kept, found, published and lost."""

import pytest

from core.catalog import UNSET, Catalog, Content, ContentFilter
from core.errors import BadInput


def banked(catalog: Catalog, bank: str, name: str = "pdq", **more: object) -> Content:
    return catalog.contents.add(bank, {name: f"signal of {name}"}, **more)  # type: ignore[arg-type]


def test_labels_go_the_whole_way(catalog: Catalog) -> None:
    """Kept once each and in order, replaced or left as they are, seen by the index, and marked."""
    catalog.banks.create("A")
    content = banked(catalog, "A", labels=["b", " a ", "b"])
    assert content.labels == ("a", "b")
    assert catalog.contents.get("A", content.id) == content
    assert [entry.labels for entry in catalog.entries.every("pdq")] == [("a", "b")]
    assert catalog.contents.update("A", content.id, note="n", labels=UNSET).labels == ("a", "b")
    catalog.marks.clear("pdq", catalog.marks.pending("pdq", 10))
    assert catalog.contents.update("A", content.id, labels=["c"]).labels == ("c",)
    assert [mark.content_id for mark in catalog.marks.pending("pdq", 10)] == [content.id]
    assert [entry.labels for entry in catalog.entries.read("pdq", [content.id])] == [("c",)]
    with pytest.raises(BadInput):
        catalog.contents.update("A", content.id, labels=["d", ""])
    assert catalog.contents.get("A", content.id).labels == ("c",)
    assert catalog.contents.delete("A", content.id) == 1


def test_labels_go_with_their_bank(catalog: Catalog) -> None:
    """Deleting a bank is not stopped by them, and leaves none behind."""
    catalog.banks.create("A")
    content = banked(catalog, "A", labels=["x"])
    catalog.banks.delete("A")
    catalog.banks.create("A")
    assert catalog.contents.page(ContentFilter(label="x")).contents == ()
    assert banked(catalog, "A").id > content.id
