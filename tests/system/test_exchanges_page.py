"""The commands of the page on exchanges do what they are said to, when they are pasted."""

import json
import os
import re
import subprocess
from pathlib import Path

from local_runtime.commands.server_client import ServerClient
from local_runtime.demo.fake_exchanges import FakeNcmec
from tests.system.runtime import running

PAGE = Path(__file__).parents[2] / "docs" / "exchanges.md"


def test_an_exchange_is_set_up_as_the_page_says(tmp_path: Path) -> None:
    """NCMEC is connected, fetched and told of an opinion, with the page's commands alone."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [block for block in blocks if "$HMA_URL" in block]
    assert len(commands) == 2
    with FakeNcmec() as fake:
        fake.ledger.fill(50)
        script = "".join(commands).replace('{"user": "…", "password": "…"}', _json(fake))
        environ = {"HMA_EXCHANGE_ENDPOINTS": f"ncmec={fake.url}"}
        with (
            running(tmp_path / "data", store="files", environ=environ) as served,
            ServerClient(served.url) as client,
        ):
            client.await_ready()
            ran = subprocess.run(
                ["bash", "-e"],
                input=script.replace("curl ", "curl --silent --fail-with-body "),
                env=os.environ | {"HMA_URL": served.url},
                capture_output=True,
                text=True,
                check=False,
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            client.fetch("NCMEC")
            assert client.exchange_progress("NCMEC")["fetched"]["contents"] == 50
    assert len(fake.reported) == 1
    assert fake.reported[0].opinion.startswith("negative ")


def _json(fake: FakeNcmec) -> str:
    return json.dumps(fake.credentials())
