"""Lookups: which of the contents near a signal match, and what each match says of why."""

import random
from pathlib import Path

import pytest

from core.errors import BadInput
from core.index.reading.lookup_index import ContentMatch
from core.matching.lookup import Lookup, LookupQuery, LookupRules, look_up
from core.settings.variant import Variant
from core.signal_types.index_kind import PDQ_THRESHOLD
from tests.deployment import BANK, Deployment, altered, random_signal, settings_for

RNG = random.Random(11)
SIGNAL = random_signal(RNG)
EVERY_BANK = LookupRules(coin=0.0)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A deployment that looks for something newer at every lookup."""
    return Deployment(settings_for(tmp_path, refresh_seconds=1e-9))


def lookup(deployment: Deployment, query: LookupQuery) -> Lookup:
    return look_up(deployment.lookup_index, deployment.signal_types, query)


def matches(deployment: Deployment, query: LookupQuery) -> list[ContentMatch]:
    (of_the_signal,) = lookup(deployment, query).matches
    return list(of_the_signal)


def test_a_match_says_which_threshold_was_used(deployment: Deployment) -> None:
    """That of the type, of the request if that is stricter, or of the bank if that is stricter."""
    deployment.catalog.banks.create("STRICT", 1.0, thresholds={"pdq": 12})
    deployment.add(altered(RNG, SIGNAL, 5))
    deployment.add(altered(RNG, SIGNAL, 10), "STRICT")
    far = deployment.add(altered(RNG, SIGNAL, 13), "STRICT")
    deployment.publisher.publish("pdq")

    def thresholds(threshold: int | None, coin: float | None = 0.0) -> dict[str, int]:
        rules = LookupRules(threshold=threshold, coin=coin)
        near = matches(deployment, LookupQuery("pdq", (SIGNAL,), rules))
        return {match.bank.name: match.threshold for match in near}

    assert thresholds(None) == {BANK: PDQ_THRESHOLD, "STRICT": 12}
    assert thresholds(20) == {BANK: 20, "STRICT": 12}
    assert thresholds(11) == {BANK: 11, "STRICT": 11}
    assert thresholds(None, coin=None) == {BANK: PDQ_THRESHOLD, "STRICT": PDQ_THRESHOLD}
    found = matches(deployment, LookupQuery("pdq", (SIGNAL,), EVERY_BANK))
    assert far not in {match.content_id for match in found}


def test_a_lookup_says_which_snapshot_answers(deployment: Deployment) -> None:
    """Its number and its writer, also where nothing matches."""
    deployment.publisher.publish("pdq")
    deployment.add(SIGNAL)
    number = deployment.publisher.publish("pdq")
    state = lookup(deployment, LookupQuery("pdq", ("0" * 64,), EVERY_BANK)).state
    assert (state.number, state.writer) == (number, deployment.newest().writer)


def test_each_content_matches_once_by_its_nearest_variant(deployment: Deployment) -> None:
    """With that variant's name, or none where the signal itself is as near."""
    mirrored = random_signal(RNG)
    by_variant = deployment.add(altered(RNG, mirrored, 2))
    by_itself = deployment.add(altered(RNG, SIGNAL, 3))
    deployment.publisher.publish("pdq")
    variants = (
        Variant("orientation", "mirror", mirrored),
        Variant("margin", "margin", altered(RNG, mirrored, 9)),
    )
    query = LookupQuery("pdq", (SIGNAL,), EVERY_BANK, variants)
    assert [(match.content_id, match.variant) for match in matches(deployment, query)] == [
        (by_variant, "mirror"),
        (by_itself, None),
    ]
    blank = LookupQuery("pdq", ("",), EVERY_BANK, variants)
    assert [match.content_id for match in matches(deployment, blank)] == [by_variant]


def test_a_raw_lookup_asks_no_bank(deployment: Deployment) -> None:
    """Without a coin, content that is disabled or of a bank that never takes part is there."""
    deployment.catalog.banks.create("NEVER", 0.0)
    silent = deployment.add(SIGNAL, "NEVER")
    disabled = deployment.add(SIGNAL)
    deployment.catalog.contents.update(BANK, disabled, disable_until_ts=0)
    deployment.publisher.publish("pdq")
    raw = matches(deployment, LookupQuery("pdq", (SIGNAL,), LookupRules()))
    assert {match.content_id for match in raw} == {silent, disabled}
    assert matches(deployment, LookupQuery("pdq", (SIGNAL,), LookupRules(coin=0.01))) == []


def test_an_allow_list_takes_the_matches_of_others(deployment: Deployment) -> None:
    """Whichever banks are asked for; it is itself answered by name alone."""
    deployment.catalog.banks.create("HARMLESS", 1.0, allow_list=True)
    deployment.add(SIGNAL)
    harmless = deployment.add(SIGNAL, "HARMLESS")
    deployment.publisher.publish("pdq")
    for banks, expected in ((), []), ((BANK,), []), (("HARMLESS",), [harmless]):
        query = LookupQuery("pdq", (SIGNAL,), LookupRules(banks=banks, coin=0.0))
        assert [match.content_id for match in matches(deployment, query)] == expected


def test_what_is_no_signal_is_an_error_of_its_own_or_of_all(deployment: Deployment) -> None:
    """In a partial query the others are answered in their places; in any other nothing is."""
    content_id = deployment.add(SIGNAL)
    deployment.publisher.publish("pdq")
    signals = ("no hash", SIGNAL, "")
    answer = lookup(deployment, LookupQuery("pdq", signals, EVERY_BANK, partial=True))
    assert [[match.content_id for match in near] for near in answer.matches] == [
        [],
        [content_id],
        [],
    ]
    assert sorted(answer.errors) == [0, 2]
    assert answer.errors[0].message.startswith("invalid signal: ")
    with pytest.raises(BadInput, match="invalid signal"):
        lookup(deployment, LookupQuery("pdq", signals, EVERY_BANK))
