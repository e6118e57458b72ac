"""Digests stay what they are, in memory, in a file, taken and joined."""

import random
from pathlib import Path

import pytest

from core.index.exact import Digests, ExactSignals
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
    read = ExactSignals(dict(ExactSignals.files(ascending)))
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
