"""Uploads over HTTP, beside HMA's way of hashing them: `make bench-http`.

`hash` and `match` run as they are deployed, under functions-framework with two workers, one after
the other, and are sent JPEGs of 2 megapixels by four clients; `match` looks them up among a
thousand hashes in its index. The peer is threatexchange's hashing path behind a Flask route that
does nothing else, under gunicorn with two workers and the same clients. HMA serves it in that way
and does more for each request, so its own figure is no higher.

Then one client looks banked hashes up, one after the other on one connection, in `hma serve` as a
user starts it and in threatexchange's index behind such a route: what waits besides the search.

Clients take their share of the same cores. So besides images a second there are images by second of
the processor that the server's processes spent, from /proc: what one core of its own can do. Prints
JSON lines, and rewrites the table in `docs/benchmarks.md`.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count, islice
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from core.settings import Settings
from tests.bench.hash import _photographs, _saved
from tests.bench.report import machine, put
from tests.deployment import Deployment, random_signal, settings_for
from tests.served import Served, serving
from tests.system.runtime import running

ROOT = Path(__file__).parents[2]
WARM_SECONDS, SECONDS = 3.0, 10.0
WORKERS, CLIENTS, PICTURES, BANKED = 2, 4, 8, 1000
WARM_LOOKUPS, LOOKUPS = 300, 3000
DOLLARS = 0.000024
"""For a second of one processor, assumed: what hosted functions list is about that."""

PEER = "threatexchange_flask"
CASES = {
    "hash": ("hash", "/h/hash", {}),
    "hash_fast": ("hash", "/h/hash", {"HMA_PDQ_MODE": "fast"}),
    "match": ("match", "/m/lookup", {}),
    PEER: (None, "/h/hash", {}),
}

progress = Console(stderr=True)


@dataclass(frozen=True)
class Lookups:
    """Seconds that a lookup takes its client, at the median, and the server's processor."""

    wait: float
    processor: float


@dataclass(frozen=True)
class ServerWork:
    """What a server did while it was measured.

    Attributes:
        images: answered with 200, in all.
        seconds: that passed.
        processor: seconds that its processes spent.
    """

    images: int
    seconds: float
    processor: float


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hma-bench-") as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        for number, picture in enumerate(islice(_photographs(2.0), PICTURES)):
            (folder / "pictures" / f"{number}.jpg").write_bytes(_saved(picture, "jpeg"))
        index = _indexed(folder)
        seen = {}
        for case in CASES:
            progress.print(case)
            with _started(case, index, folder) as served:
                seen[case] = _measured(served, CASES[case][1], folder / "pictures")
        times = {}
        for server, started in (("ours", _serve(folder)), ("peer", _started(PEER, {}, folder))):
            progress.print(f"lookups, {server}")
            with started as served:
                times[server] = _lookups(served)
    lines = [*_lines(seen), *_lookup_lines(**times)]
    for line in lines:
        print(json.dumps(line), flush=True)
    _write_table(lines)


def _indexed(folder: Path) -> dict[str, str]:
    """The environment of a function on a published index."""
    settings = settings_for(folder)
    deployment, rng = Deployment(settings), random.Random(6)
    for _ in range(BANKED):
        deployment.add(random_signal(rng))
    deployment.publisher.publish_all()
    return {
        "HMA_STORE_URL": str(settings.store_url),
        "HMA_CACHE_DIR": str(settings.cache_dir),
        "HMA_MAX_STALE_SECONDS": str(Settings().max_stale_seconds),
    }


@contextmanager
def _started(case: str, index: dict[str, str], folder: Path) -> Iterator[Served]:
    verb, _, more = CASES[case]
    module, arguments = "gunicorn", ["tests.bench.http_peer:app", "--bind", "127.0.0.1:{port}"]
    if verb is not None:
        module = "functions_framework"
        source = str(ROOT / "functions" / f"{verb}.py")
        arguments = ["--source", source, "--target", verb, "--host", "127.0.0.1"]
        arguments += ["--port", "{port}"]
    environ = {**more, **(index if verb == "match" else {})}
    workers = {"WORKERS": str(WORKERS), "WEB_CONCURRENCY": str(WORKERS), "PYTHONPATH": str(ROOT)}
    with serving(module, *arguments, environ=environ | workers, log=folder / "log") as served:
        yield served


@contextmanager
def _serve(folder: Path) -> Iterator[Served]:
    """`hma serve`, with as many hashes banked as the peer has."""
    with running(folder / "serve") as served:
        served.post("/c/banks", json={"name": "BANK"}).raise_for_status()
        rng = random.Random(6)
        for _ in range(BANKED):
            signals = {"pdq": random_signal(rng)}
            served.post("/c/bank/BANK/signal", json=signals).raise_for_status()
        yield served


def _lookups(served: Served) -> Lookups:
    """Look banked hashes up, one after the other, on one connection."""
    rng = random.Random(6)
    paths = [f"/m/lookup?signal_type=pdq&signal={random_signal(rng)}" for _ in range(BANKED)]
    connection = HTTPConnection(*served.address, timeout=30)
    connection.connect()
    waits = []
    spent = 0.0
    for number in range(WARM_LOOKUPS + LOOKUPS):
        if number == WARM_LOOKUPS:
            spent = _processor_seconds(served.child.pid)
        begun = time.perf_counter()
        connection.request("GET", paths[number % BANKED])
        with connection.getresponse() as answer:
            content = answer.read()
        waits.append(time.perf_counter() - begun)
        assert answer.status == 200, content
        assert b"bank_content_id" in content
    spent = _processor_seconds(served.child.pid) - spent
    connection.close()
    return Lookups(statistics.median(waits[WARM_LOOKUPS:]), spent / LOOKUPS)


def _measured(served: Served, path: str, pictures: Path) -> ServerWork:
    command = [sys.executable, "-m", "tests.bench.http", served.url + path, str(pictures)]
    started = time.monotonic()
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(CLIENTS)]
    first = _requests_started(served, started)
    time.sleep(max(0.0, first + WARM_SECONDS - time.monotonic()))
    begun, spent = time.time(), _processor_seconds(served.child.pid)
    time.sleep(SECONDS)
    ended, spent = time.time(), _processor_seconds(served.child.pid) - spent
    answered = 0
    for client in clients:
        out, _ = client.communicate()
        assert client.returncode == 0, "a request failed"
        answered += sum(begun <= when < ended for when in json.loads(out))
    return ServerWork(answered, ended - begun, spent)


def _requests_started(served: Served, started: float) -> float:
    """When the clients' imports are surely done: the server's processes have begun to work."""
    idle = _processor_seconds(served.child.pid)
    while _processor_seconds(served.child.pid) - idle < 0.2:
        assert time.monotonic() - started < 60, "no request came"
        time.sleep(0.05)
    return time.monotonic()


def ask(url: str, pictures: Path) -> None:
    """Send pictures, one after the other, and print when each was answered."""
    contents = [path.read_bytes() for path in sorted(pictures.iterdir())]
    answered: list[float] = []
    with requests.Session() as session:
        deadline = time.monotonic() + WARM_SECONDS + SECONDS + 5
        for number in count(os.getpid()):
            if time.monotonic() > deadline:
                break
            content = contents[number % len(contents)]
            answer = session.post(
                url, files={"photo": ("a.jpg", content, "image/jpeg")}, timeout=60
            )
            answer.raise_for_status()
            assert "pdq" in answer.json()
            answered.append(time.time())
    print(json.dumps(answered))


def _processor_seconds(pid: int) -> float:
    """What a process and its descendants have spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    for task in Path(f"/proc/{pid}/task").iterdir():
        spent += sum(
            _processor_seconds(int(one)) for one in (task / "children").read_text().split()
        )
    return spent


def _lines(seen: dict[str, ServerWork]) -> Iterator[dict[str, Any]]:
    peer = seen[PEER]
    for case in CASES:
        if case == PEER:
            continue
        one = seen[case]
        figures = {
            "images_per_s": (one.images / one.seconds, peer.images / peer.seconds, "1/s"),
            "images_per_core_s": (one.images / one.processor, peer.images / peer.processor, "1/s"),
            "cents_per_1000": (_cents(one), _cents(peer), "cents"),
        }
        for figure, (ours, theirs, unit) in figures.items():
            ratio = theirs / ours if unit == "cents" else ours / theirs
            yield {
                "bench": "http",
                "case": f"{case}/2MP/{figure}",
                "ours": float(f"{ours:.4g}"),
                "peer": float(f"{theirs:.4g}"),
                "peer_name": PEER,
                "ratio": round(ratio, 2),
                "unit": unit,
            }


def _lookup_lines(ours: Lookups, peer: Lookups) -> Iterator[dict[str, Any]]:
    figures = {
        "p50": (1000 * ours.wait, 1000 * peer.wait, "ms"),
        "processor": (1e6 * ours.processor, 1e6 * peer.processor, "µs"),
    }
    for figure, (mine, theirs, unit) in figures.items():
        yield {
            "bench": "http",
            "case": f"lookup/one connection/{figure}",
            "ours": float(f"{mine:.4g}"),
            "peer": float(f"{theirs:.4g}"),
            "peer_name": PEER,
            "ratio": round(theirs / mine, 2),
            "unit": unit,
        }


def _cents(seen: ServerWork) -> float:
    return 1000 * seen.processor / seen.images * DOLLARS * 100


def _write_table(lines: list[dict[str, Any]]) -> None:
    """Put this run's table in place of the last one."""
    rows = ["| case | ours | threatexchange behind Flask | | unit |", "|---|---|---|---|---|"]
    rows += [
        f"| {line['case']} | {line['ours']} | {line['peer']} | {line['ratio']} x | {line['unit']} |"
        for line in lines
    ]
    put("http", f"{machine()}\n\n" + "\n".join(rows))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [url, pictures]:
            ask(url, Path(pictures))
        case _:
            main()
