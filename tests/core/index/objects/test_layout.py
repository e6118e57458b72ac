"""Where an index lies is one value: what is written below one root is read from there alone."""

import random
from pathlib import Path

import pytest

from core.errors import IndexNotReady
from core.index.objects.layout import Layout
from core.index.objects.snapshot import list_numbers
from core.index.publishing.publish import Publisher
from core.index.reading.read import Index
from tests.deployment import Deployment, TurnedClock, random_signal, settings_for


def test_an_index_lies_where_its_first_version_put_it() -> None:
    """Stores outlive programs: the keys of every part, letter by letter."""
    layout = Layout("pdq")
    assert [
        layout.snapshot(7),
        layout.hint,
        layout.segment_file("abc", "codes"),
        layout.unnamed,
        layout.task_record("r", 0, 9),
        layout.task_marks("r", "def"),
    ] == [
        "index/pdq/snapshots/00000000000000000007.json",
        "index/pdq/latest.json",
        "index/pdq/segments/abc/codes",
        "index/pdq/unnamed.json",
        "index/pdq/segments/r/0-9.json",
        "index/pdq/segments/r/def.marks",
    ]


def test_an_index_is_published_rebuilt_collected_and_read_below_another_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snapshots, segments, lists of banks and records: nothing is written or read elsewhere."""
    monkeypatch.setattr("core.index.objects.banks.INLINE_BYTES", 0)
    clock = TurnedClock()
    deployment = Deployment(settings_for(tmp_path, tail_entries=1), clock)
    parts = deployment.store, deployment.signal_types, deployment.settings, clock, "live/monday"
    publisher = Publisher(deployment.catalog.source, *parts)
    rng = random.Random(1)
    signals = [random_signal(rng) for _ in range(6)]
    ids = []
    for signal in signals:
        ids.append(deployment.add(signal))
        publisher.publish("pdq")
    publisher.rebuild("pdq")
    clock.now += deployment.settings.grace_seconds + 1
    publisher.publish("pdq")
    publisher.publish_all()  # the first look writes down what is named by nothing
    keys = [info.key for info in deployment.store.list("")]
    assert all(key.startswith("live/monday/") for key in keys), keys
    assert "live/monday/pdq/unnamed.json" in keys
    assert list_numbers(deployment.store, Layout("pdq", "live/monday"))
    found = Index(*parts).get("pdq").search(signals)
    assert [[match.content_id for match in matches] for matches in found] == [[id_] for id_ in ids]
    with pytest.raises(IndexNotReady):
        deployment.index.get("pdq")
