"""`hma status`: whether a server can answer lookups."""

from core.errors import Unavailable
from local_runtime.commands.options import Json, Url
from local_runtime.commands.printing import print_json
from local_runtime.commands.server_client import READY, connect


def status(url: Url = None, as_json: Json = False) -> None:
    """Print whether the server can answer lookups, and how large each index is."""
    with connect(url) as client:
        state = client.status()
        indices = client.index_status()
    if as_json:
        print_json({"url": client.url, "status": state, "index": indices})
    else:
        print(client.url, state)
        for signal_type, index in indices.items():
            size = f"{index['size']} contents" if index["present"] else "no index yet"
            print(f"{signal_type}: {size}")
    if state != READY:
        raise Unavailable(f"the server cannot answer lookups: {state}. Try `hma publish`")
