"""Digests stay what they are, in memory, in a file, taken and joined."""

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from core.index.layers import exact
from core.index.layers.exact import Digests, ExactKind, ExactSignals
from tests.deployment import Deployment, random_signal, settings_for
from tests.published import catalog_entries, published_entries

RNG = random.Random(5)
OWN = [RNG.randbytes(16).hex() for _ in range(50)]
TEXTS = [f"text {n}" for n in range(50)]


@pytest.mark.parametrize("signals", [OWN, TEXTS, OWN[:25] + TEXTS[:25]])
def test_joined_digests_are_written_and_found_as_they_were(signals: list[str]) -> None:
    """Also by the file that is made of them, whatever the order of bytes of this machine."""
    joined = Digests.concat([Digests.pack(signals[:20]), Digests.pack(signals[20:])])
    ascending = joined.take(joined.order())
    read = ExactSignals(dict(ExactKind().files(ascending)))
    assert sorted(read.packed[row] for row in range(len(read.packed))) == sorted(signals)
    for signal in signals:
        (hits,) = read.search([signal], 0)
        assert [read.packed[row] for row in hits.rows.tolist()] == [signal]


def test_a_merged_index_of_digests_equals_the_catalog(tmp_path: Path) -> None:
    """After many flushes and merges each of them matches."""
    services = Deployment(settings_for(tmp_path, tail_entries=4))
    rng = random.Random(6)
    for _ in range(12):
        for _ in range(6):
            services.add(random_signal(rng, 128), signal_type="video_md5")
        services.publisher.publish_all()
    catalog = catalog_entries(services, "video_md5")
    assert published_entries(services, signal_type="video_md5") == catalog
    for content_id, entry in catalog.items():
        assert services.matching(entry.signals[0], "video_md5") == [content_id]
    services.catalog.close()


def test_digests_that_begin_or_end_alike_are_in_order_and_found() -> None:
    """Zero bytes at either end, the same first half, several rows of one digest: all are kept."""
    ends = ["0" * 16, "0" * 14 + "01", "f" * 16, "8" * 14 + "00", "8" * 16]
    signals = [first + last for first in ends for last in ends] * 3
    random.Random(8).shuffle(signals)
    packed = Digests.pack(signals)
    order = packed.order()
    expected = sorted(range(len(signals)), key=lambda row: (signals[row], row))
    assert order.tolist() == expected
    read = ExactSignals(ExactKind().files(packed.take(order)))
    found = read.search([*signals, "0" * 31 + "2"], 0)
    for signal, hits in zip(signals, found[:-1], strict=True):
        assert [read.packed[row] for row in hits.rows.tolist()] == [signal] * 3
    assert len(found[-1].rows) == 0


def test_many_rows_are_put_in_order_by_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gathers a half of them, and together they are in the order of all their bytes."""
    monkeypatch.setattr(exact, "PARALLEL_ROWS", 1)
    packed = Digests.pack([RNG.randbytes(16).hex() for _ in range(1001)])
    ascending = packed.take(packed.order())
    assert ascending.values.tobytes() == b"".join(
        sorted(bytes.fromhex(packed[row]) for row in range(1001))
    )


def test_a_search_copies_nothing_of_a_mapped_file(tmp_path: Path) -> None:
    """It allocates some KB whatever the length of the file, so that a lookup stays short."""
    values = np.sort(np.random.default_rng(7).integers(0, 2**63, 1_000_000).astype(">u8"))
    (tmp_path / "digests").write_bytes(values.tobytes())
    read = ExactSignals({"digests": tmp_path / "digests"})
    tracemalloc.start()
    try:
        (hits,) = read.search([read.packed[250_000]], 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert hits.rows.tolist() == [250_000]
    assert peak < 100_000
