"""A kind of layer is one object: whoever adds one touches no code that is there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from threatexchange.signal_type.raw_text import RawTextSignal
from threatexchange.signal_type.signal_base import SignalType

from core.errors import SegmentCorrupt
from core.index.layers import kinds
from core.index.layers.arrays import Buffer, Rows
from core.index.layers.hits import Hits
from core.index.layers.kind import order_by_content
from core.index.layers.packed import Texts
from core.signal_types import index_kind
from core.signal_types.index_kind import IndexKind
from tests.deployment import Deployment, settings_for
from tests.published import catalog_entries, published_entries


class FirstWordSignal(RawTextSignal):  # type: ignore[misc]
    """Texts that match when they begin with the same word."""

    @classmethod
    def get_name(cls) -> str:
        return "first_word"


class FirstWordKind:
    """Such texts, kept in the order of the alphabet."""

    name = "first_words"

    def pack(self, signals: Sequence[str]) -> Texts:
        return Texts.pack(signals)

    def order(self, packed: Texts, owners: Rows) -> Rows:
        rows = order_by_content(owners).tolist()
        return np.array(sorted(rows, key=packed.__getitem__), np.int64)

    def files(self, packed: Texts) -> dict[str, bytes]:
        return packed.files("words")

    def codes(self, packed: Texts) -> None:
        return None

    def open(
        self,
        files: Mapping[str, Buffer],
        signal_type: type[SignalType],
    ) -> "FirstWordSignals":
        return FirstWordSignals(files)


class FirstWordSignals:
    """Those of one layer."""

    def __init__(self, files: Mapping[str, Buffer]) -> None:
        self.packed = Texts.open(files, "words")

    def search(self, signals: Sequence[str], threshold: int) -> list[Hits]:
        words = [self.packed[row].split()[0] for row in range(len(self.packed))]
        return [
            Hits.without_distance(np.flatnonzero(np.array(words) == signal.split()[0]))
            for signal in signals
        ]


@pytest.fixture
def fifth_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind beside those there are, and a signal type that has it."""
    listed = MappingProxyType({**kinds.KINDS, "first_words": FirstWordKind()})
    monkeypatch.setattr(kinds, "KINDS", listed)
    types = {**index_kind.TYPES_WITH_A_KIND, FirstWordSignal: IndexKind("first_words", quick=True)}
    monkeypatch.setattr(index_kind, "TYPES_WITH_A_KIND", MappingProxyType(types))


@pytest.mark.usefixtures("fifth_kind")
def test_a_fifth_kind_is_published_merged_rebuilt_and_searched(tmp_path: Path) -> None:
    """From the tail, from segments, after a merge with removals, and after a rebuild."""
    path = f"{__name__}:FirstWordSignal"
    deployment = Deployment(settings_for(tmp_path, signal_types=path, tail_entries=2))
    texts = [f"{word} {number}" for number in range(5) for word in ("pear", "apple", "fig")]
    ids = {}
    for text in texts:
        ids[text] = deployment.add(text, signal_type="first_word")
        deployment.publisher.publish("first_word")
    deployment.catalog.contents.delete("KNOWN", ids.pop("fig 0"))

    def assert_all_match() -> None:
        assert {ref.kind for ref in deployment.newest("first_word").segments} == {"first_words"}
        catalog = catalog_entries(deployment, "first_word")
        assert published_entries(deployment, signal_type="first_word") == catalog
        for word in ("pear", "apple", "fig"):
            expected = [ids[text] for text in ids if text.startswith(word)]
            assert sorted(deployment.matching(f"{word} tree", "first_word")) == expected
        assert deployment.matching("pea", "first_word") == []

    deployment.publisher.publish("first_word")
    assert_all_match()
    deployment.publisher.publish_all()
    assert_all_match()
    deployment.publisher.rebuild("first_word")
    assert_all_match()
    assert deployment.signal_types.is_quick("first_word")


def test_every_kind_that_a_type_can_have_is_there() -> None:
    """What the signal types call it and what the index calls it are the same names."""
    named = (index_kind.BINARY, index_kind.FRAMES, index_kind.EXACT, index_kind.GENERIC)
    assert {kind.name for kind in named} == set(kinds.KINDS)
    assert all(kinds.layer_kind(name).name == name for name in kinds.KINDS)


def test_a_segment_of_an_unknown_kind_is_an_error_that_names_it() -> None:
    """A later version's segment is not taken for one that holds nothing."""
    with pytest.raises(SegmentCorrupt, match="segments of kind 'hyperbolic'"):
        kinds.layer_kind("hyperbolic")
