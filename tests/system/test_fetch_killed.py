"""A fetch that is killed at random, in short; `make prove-fetch` does it in full."""

from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.system.prove_fetch import NAMES, prove


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_random_nothing_is_lost_or_left_over(name: str, tmp_path: Path) -> None:
    """Catalog and snapshot end with exactly the exchange's live set, though it changes too."""
    proof = prove(name, 3000, 3, tmp_path)
    assert proof.exact, proof
    assert proof.kills > 0


def test_killed_at_random_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    """The same where the database is a server, which goes on with what we no longer wait for."""
    proof = prove("stop_ncii", 3000, 3, tmp_path, database=postgres.new_database())
    assert proof.exact, proof
    assert proof.kills > 0
