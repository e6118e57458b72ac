"""Files made to hurt are refused with a reason, or hashed: quickly, in little memory, and alive."""

import json
import os
import subprocess
import sys

import pytest

from tests.core.hashing.hostile_media import MEGABYTES, SECONDS

BUSY_SECONDS = 2 * SECONDS
"""For here tests run beside it, on its core and in its cache: that doubles what `make prove-media`
measures alone, of which the most was 0.8."""

ROUNDS = int(os.environ.get("PROVE_FUZZ", "300"))


@pytest.fixture(scope="module")
def told() -> list[dict[str, object]]:
    """What a process told of every file that it hashed; the tests tell what it did wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.hashing.hostile_media", str(ROUNDS)],
        stdout=subprocess.PIPE,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_no_hostile_file_does_harm(told: list[dict[str, object]]) -> None:
    """Bombs, cuts, polyglots, lying headers: each within its time, all within 300 MB."""
    *files, fuzzed = told
    assert len(files) >= 40
    for one in files:
        assert float(str(one["seconds"])) <= BUSY_SECONDS, one
        assert str(one["outcome"]).startswith(("hashed", "400 ", "413 ")), one
    assert int(str(fuzzed["peak_MB"])) <= MEGABYTES


def test_fuzzed_files_decode_or_are_refused(told: list[dict[str, object]]) -> None:
    """Thousands of damaged files of every format: nothing else ever comes of them."""
    fuzzed = told[-1]
    assert fuzzed["rounds"] == ROUNDS
    assert set(dict(fuzzed["outcomes"])) <= {"hashed", "400", "413"}  # type: ignore[call-overload]
    assert float(str(fuzzed["slowest_s"])) <= BUSY_SECONDS
