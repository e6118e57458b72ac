"""Runs that are killed: what they did is done, and the next one does the rest."""

import random
import signal
from pathlib import Path

import pytest

from core.services import Services
from tests.core.transfer.conftest import contents_of, move
from tests.core.transfer.mover import move_until
from tests.forked import start
from tests.hma import Hma, Row, rows
from tests.published import catalog_entries, published_entries


@pytest.mark.parametrize("changing", [False, True], ids=["first run", "catching up"])
def test_killed_at_random(hma: Hma, services: Services, tmp_path: Path, changing: bool) -> None:
    """Five times in a row, anywhere between two statements; it ends as if it never had been."""
    content = {row.id: row for row in rows(3500)}
    hma.put(*content.values())
    if changing:
        assert move(hma, services)[0].complete
        gone = list(content)[::2]
        hma.run("DELETE FROM content_signal WHERE content_id = ANY(%s)", gone)
        hma.run("DELETE FROM bank_content WHERE id = ANY(%s)", gone)
        hma.run("UPDATE bank SET name = 'RENAMED' WHERE name = 'TERROR'")
        kept = [row for key, row in content.items() if key not in set(gone)]
        changed = [
            Row(row.id, row.bank.replace("TERROR", "RENAMED"), row.signals, note="changed",
                record=row.record)
            for row in kept
        ]  # fmt: skip
        content = {row.id: row for row in changed}
        hma.put(*content.values())
    settings = tmp_path / "settings.json"
    settings.write_text(services.settings.model_dump_json())
    draw = random.Random(changing)
    for _ in range(5):
        killed = start(move_until, hma.url, settings, draw.randrange(1, 90))
        killed.join()
        assert killed.exitcode in (0, -signal.SIGKILL)
        ids = contents_of(services).keys()
        assert changing or ids <= content.keys()
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    assert contents_of(services) == content
    services.publisher.publish("pdq")
    assert published_entries(services) == catalog_entries(services)
    assert published_entries(services).keys() == {
        k for k, r in content.items() if "pdq" in r.signals
    }
