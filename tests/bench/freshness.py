"""How soon a banked hash is matched, and a removed one no longer: `make bench-freshness`.

On a real MinIO and a real SeaweedFS, with `curate` and `match` as processes of their own. A change
is timed from the moment its request is sent until the first answer of `match` that knows it;
content is banked by uploading an image, and taken away by DELETE and by `disable_until_ts` in
turn. Prints one JSON line a figure; the cases without a store's name are the worse of the two.
"""

import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from core.services import Services
from core.settings import Settings
from local_runtime.store.s3_server import S3Server, find_minio, start_minio, start_seaweedfs
from tests.served import Served, serving

CHANGES = 200
GIVE_UP_SECONDS = 30.0


def main(changes: int = CHANGES) -> None:
    worst: dict[str, float] = {}
    for name, start in _servers():
        with tempfile.TemporaryDirectory(prefix="hma-bench-") as folder:
            server = start(Path(folder))
            try:
                with functions(server, Path(folder)) as (curate, match):
                    figures = measure(name, curate, match, changes)
            finally:
                server.stop()
        for case, seconds in figures.items():
            report(f"{case}/{name}", seconds)
            worst[case] = max(worst.get(case, 0.0), seconds)
    for case, seconds in worst.items():
        report(case, seconds)


def report(case: str, seconds: float) -> None:
    figure = {"bench": "freshness", "case": case, "ours": round(seconds, 4), "unit": "s"}
    print(json.dumps(figure | {"peer": None, "peer_name": None, "ratio": None}), flush=True)


def _servers() -> Iterator[tuple[str, Callable[[Path], S3Server]]]:
    yield "seaweedfs", lambda folder: start_seaweedfs(folder / "s3")
    if binary := find_minio():
        yield "minio", lambda folder: start_minio(binary, folder / "s3")
    else:
        print("MinIO is not measured: build it first with `make minio`", file=sys.stderr)


@contextmanager
def functions(server: S3Server, folder: Path) -> Iterator[tuple[Served, Served]]:
    """`curate` and `match` in processes of their own, on a catalog in `folder`."""
    environ = server.environ() | {
        "HMA_DATABASE_URL": f"sqlite:///{folder / 'catalog.db'}",
        "HMA_CACHE_DIR": str(folder / "cache"),
    }
    settings = Settings.from_env(environ)
    services = Services(settings)
    services.catalog.migrate()
    services.publisher.publish_all()
    with ExitStack() as running:
        yield tuple(  # type: ignore[misc]
            running.enter_context(
                serving(
                    "functions_framework",
                    *("--source", f"functions/{target}.py", "--target", target),
                    *("--host", "127.0.0.1", "--port", "{port}"),
                    environ=environ,
                    log=folder / f"{target}.log",
                )
            )
            for target in ("curate", "match")
        )


def measure(store: str, curate: Served, match: Served, changes: int) -> dict[str, float]:
    """The 50th and 99th percentile of seconds until an add, and a removal, is seen."""
    curate.post("/c/banks", json={"name": "FRESH"}).raise_for_status()
    rng = np.random.default_rng(1)
    adds, removals = [], []
    for number in track(range(changes), f"changes on {store}", console=Console(stderr=True)):
        image = _image(rng)
        _pause()
        started = time.perf_counter()
        answer = curate.post("/c/bank/FRESH/content", files={"photo": image})
        answer.raise_for_status()
        content_id, signal = answer.json()["id"], answer.json()["signals"]["pdq"]
        _wait(match, signal, content_id, present=True)
        adds.append(time.perf_counter() - started)
        path = f"/c/bank/FRESH/content/{content_id}"
        _pause()
        started = time.perf_counter()
        if number % 2:
            curate.delete(path).raise_for_status()
        else:
            curate.put(path, json={"disable_until_ts": 0}).raise_for_status()
        _wait(match, signal, content_id, present=False)
        removals.append(time.perf_counter() - started)
    return {
        f"{change}_p{percent}_s": float(np.percentile(seconds, percent))
        for change, seconds in (("add", adds), ("remove", removals))
        for percent in (50, 99)
    }


def _wait(match: Served, signal: str, content_id: int, *, present: bool) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        answer = match.get("/m/lookup", signal=signal, signal_type="pdq")
        answer.raise_for_status()
        found = {one["bank_content_id"] for bank in answer.json().values() for one in bank}
        if (content_id in found) == present:
            return
        time.sleep(0.005)
    raise AssertionError(f"content {content_id}: still not {present=} after {GIVE_UP_SECONDS} s")


def _pause() -> None:
    """Changes come at any moment of the matcher's refresh interval, not just after one."""
    time.sleep(random.random() * 0.3)


def _image(rng: np.random.Generator) -> bytes:
    """A picture of its own for each change: smooth random patches, of good PDQ quality."""
    patches = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(patches).resize((512, 512), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
