"""The first look at exchanges keeps its promise, and says so when it does not."""

from pathlib import Path

from rich.console import Console

from local_runtime.commands.server_client import ServerClient
from local_runtime.demo.exchanges import endpoints, fake_exchanges, show_exchanges
from tests.system.runtime import hma, running


def test_demo_fetches_every_exchange() -> None:
    """`hma demo exchanges` fetches all four, in spite of what goes wrong with each, and ends."""
    ran = hma("demo", "exchanges", "--store", "files", "--signals", "1000")
    assert ran.code == 0, ran.err
    for name in ("fb_threatexchange", "ncmec", "stop_ncii", "tat"):
        (row,) = (line for line in ran.out.splitlines() if f"│ {name} " in line)
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        assert cells[2:] == ["1,000", "3", "yes", "no more"]


def test_demo_fails_when_something_stays(tmp_path: Path) -> None:
    """An exchange that does not tell what was withdrawn makes the demonstration fail."""
    console = Console(record=True, width=200)
    with fake_exchanges(1000) as fakes:
        (stop_ncii,) = (fake for fake in fakes if fake.NAME == "stop_ncii")
        stop_ncii.withdrawn = "Received"  # type: ignore[attr-defined]
        environ = {"HMA_EXCHANGE_ENDPOINTS": ",".join(endpoints(fakes))}
        with (
            running(tmp_path / "data", store="files", environ=environ) as served,
            ServerClient(served.url) as client,
        ):
            client.await_ready()
            assert not show_exchanges(client, fakes, console)
    rows = [line for line in console.export_text().splitlines() if "│" in line]
    assert [row.rstrip(" │").endswith("yes") for row in rows] == [False, False, True, False]
