"""The runtime fetches exchanges by itself."""

import random
from pathlib import Path

from tests.system.runtime import running
from tests.waiting import until


def test_an_exchange_is_fetched_and_matches_without_being_asked_to(tmp_path: Path) -> None:
    """Soon after it is made, and again when its list has changed."""
    rng = random.Random(9)
    first, second = rng.randbytes(32).hex(), rng.randbytes(32).hex()
    file = tmp_path / "signals"
    file.write_text(f"pdq {first}\n")
    with running(tmp_path / "data", "--fetch-every", "1", store="files") as served:

        def matching(signal: str) -> bool:
            found = served.get("/m/lookup", signal=signal, signal_type="pdq")
            return found.status_code == 200 and list(found.json()) == ["LIST"]

        config = {"filename": str(file)}
        made = served.post(
            "/c/exchanges", json={"bank": "LIST", "api": "local_file", "api_json": config}
        )
        assert made.status_code == 201, made.text
        until(lambda: matching(first), 60)
        file.write_text(f"pdq {second}\n")
        until(lambda: matching(second) and not matching(first), 60)
        file.unlink()
        until(lambda: "fetching fails" in served.log.read_text(), 60)
        assert matching(second)
