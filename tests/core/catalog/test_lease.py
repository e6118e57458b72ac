"""Leases: one holder at a time, until the lease runs out or is given back."""

from concurrent.futures import ThreadPoolExecutor

from core.catalog import Catalog


def test_a_lease_has_one_holder_who_may_renew_it(catalog: Catalog) -> None:
    """Leases of other names are not concerned."""
    assert catalog.leases.take("publish/pdq", "me", 60)
    assert not catalog.leases.take("publish/pdq", "you", 60)
    assert catalog.leases.take("publish/pdq", "me", 60)
    assert catalog.leases.take("publish/video_md5", "you", 60)


def test_a_lease_that_was_given_back_is_free(catalog: Catalog) -> None:
    """Another takes it at once, and the first has it no longer."""
    assert catalog.leases.take("publish/pdq", "me", 60)
    assert catalog.leases.take("publish/pdq", "me", 0)
    assert catalog.leases.take("publish/pdq", "you", 60)
    assert not catalog.leases.take("publish/pdq", "me", 60)


def test_it_is_known_who_has_a_lease(catalog: Catalog) -> None:
    """Nobody before it was taken, nor after it was given back."""
    assert catalog.leases.holder("publish/pdq") is None
    assert catalog.leases.take("publish/pdq", "me", 60)
    assert not catalog.leases.take("publish/pdq", "you", 60)
    assert catalog.leases.holder("publish/pdq") == "me"
    assert catalog.leases.take("publish/pdq", "me", 0)
    assert catalog.leases.holder("publish/pdq") is None


def test_a_lease_that_ran_out_is_free(catalog: Catalog) -> None:
    """By the database's clock: the other asks until it is given."""
    assert catalog.leases.take("publish/pdq", "me", 0.2)
    refused = 0
    while not catalog.leases.take("publish/pdq", "you", 60):
        refused += 1
    assert refused
    assert not catalog.leases.take("publish/pdq", "me", 60)


def test_of_32_who_ask_at_once_one_gets_it(catalog: Catalog) -> None:
    """And the others are told that they did not."""
    with ThreadPoolExecutor(32) as pool:
        got = list(pool.map(lambda n: catalog.leases.take("publish/pdq", str(n), 60), range(32)))
    assert sum(got) == 1
