"""Shares of an index: each content in exactly one, and together no more and no less than all."""

import random
from itertools import chain
from pathlib import Path

import pytest

from core.errors import Misconfigured
from core.index.reading.lookup_index import ContentMatch
from core.index.reading.read import Index
from core.settings.shard import Shard
from tests.deployment import BANK, Deployment, altered, random_signal, settings_for


@pytest.fixture
def changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Deployment, str]:
    """A deployment and the signal that all its contents are near to; segments are not merged."""
    monkeypatch.setattr("core.index.publishing.publish.LITTLE_BYTES", 1)
    deployment = Deployment(settings_for(tmp_path, tail_entries=3, refresh_seconds=1e-9))
    return deployment, random_signal(random.Random(4))


def test_shares_together_are_the_index(changes: tuple[Deployment, str]) -> None:
    """At each of many snapshots, whatever was added, removed, changed: every content once.

    Shards stay loaded all the while, so segments come, go and change hands under them.
    """
    deployment, centre = changes
    rng = random.Random(5)
    live: list[int] = []
    shards = {
        of: [
            Index(
                deployment.store,
                deployment.signal_types,
                deployment.settings.model_copy(update={"shard": Shard(number, of)}),
            )
            for number in range(1, of + 1)
        ]
        for of in (2, 3, 7)
    }
    most = 0
    for step in range(25):
        for _ in range(rng.randint(1, 4)):
            change(deployment, rng, live, centre)
        if step % 9 == 8:
            deployment.publisher.rebuild("pdq")
        number = deployment.publisher.publish("pdq")
        most = max(most, len(deployment.newest().segments))
        whole = deployment.index.get("pdq", number)
        queries = [centre, altered(rng, centre, 25), random_signal(rng)]
        for threshold in (None, 7):
            expected = whole.search(queries, threshold)
            for indices in shards.values():
                parts = [one.get("pdq", number).search(queries, threshold) for one in indices]
                merged = [sorted(chain(*found), key=nearness) for found in zip(*parts, strict=True)]
                assert merged == expected
        assert {one.content_id for one in whole.search([centre])[0]} == set(live)
        for indices in shards.values():
            assert sum(one.get("pdq", number).size() for one in indices) == whole.size()
    assert most >= 5


def change(deployment: Deployment, rng: random.Random, live: list[int], centre: str) -> None:
    kind = rng.random()
    if kind < 0.5 or not live:
        live.append(deployment.add(altered(rng, centre, rng.randint(0, 15))))
    elif kind < 0.75:
        deployment.catalog.contents.delete(BANK, live.pop(rng.randrange(len(live))))
    else:
        deployment.catalog.contents.update(
            BANK, rng.choice(live), disable_until_ts=rng.choice([0, 1]), note=str(rng.random())
        )


def nearness(one: ContentMatch) -> tuple[float, int]:
    return one.order, one.content_id


def test_a_shard_fetches_its_share(changes: tuple[Deployment, str], tmp_path: Path) -> None:
    """Of what is not its own it has no signals, and of older segments nothing at all."""
    deployment, centre = changes
    rng = random.Random(6)
    for _ in range(6):
        for _ in range(4):
            deployment.add(altered(rng, centre, 3))
        deployment.publisher.publish("pdq")
    refs = deployment.newest().segments
    assert len(refs) == 6
    for number in (1, 2, 3):
        shard, cache = Shard(number, 3), tmp_path / f"cache-{number}"
        given = {"shard": shard, "cache_dir": cache}
        own = deployment.settings.model_copy(update=given)
        Index(deployment.store, deployment.signal_types, own).get("pdq")
        fetched = {path.name for path in cache.iterdir()}
        mine = shard.own({ref.id: ref.rows for ref in refs})
        holds = {ref.id for ref in refs if ref.files["codes"].sha256 in fetched}
        assert len(mine) == 2
        assert holds == mine
        oldest = min(at for at, ref in enumerate(refs) if ref.id in mine)
        named = {at for at, ref in enumerate(refs) if ref.files["ids"].sha256 in fetched}
        assert named == set(range(oldest, len(refs)))


def test_a_share_is_never_taken_for_the_whole(changes: tuple[Deployment, str]) -> None:
    """A function that is told to hold a share, and answers clients, refuses to."""
    deployment, centre = changes
    deployment.add(centre)
    deployment.publisher.publish("pdq")
    told = deployment.settings.model_copy(update={"shard": Shard(1, 2)})
    index = Index(deployment.store, deployment.signal_types, told)
    assert index.state("pdq").number == 1
    for ask in (lambda: index.search("pdq", [centre]), lambda: index.size("pdq")):
        with pytest.raises(Misconfigured, match="HMA_SHARD is 1/2"):
            ask()
