"""Bytes of an image to its PDQ, beside threatexchange's path: `make bench-hash ONLY="2MP jpeg"`.

Both hash the same files in the same process, in turn, on one thread; time is that of the processor,
the least of several runs of each picture. Memory is what hashing adds, at its peak, to a process
that has imported everything. Bits are those of difference from threatexchange's path. Of a JPEG it
also measures what Pillow takes to decode it and do no more, in `pillow_decodes`: to RGB beneath
`exact`, and to gray at a reduced size of at least 512 pixels beneath `fast`. Prints JSON lines, and
rewrites the table of each size in `docs/benchmarks.md`.

The pictures are the photographs that come with scikit-image, whole and their disjoint quarters,
brought to the size by Lanczos. Grain is added, so that a JPEG of them has as many bytes a pixel as
one from a camera has, and as much to decode.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes

from core.hashing.hash_photo import FAST_LEAST, hash_photo
from core.settings import Settings
from tests.bench.report import machine, put
from tests.pictures import PHOTOGRAPHS

SIZES = {"0.3MP": 0.3, "0.5MP": 0.5, "2MP": 2.0, "12MP": 12.0, "48MP": 48.0}
FORMATS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 90},
    "png": {"compress_level": 1},
    "webp": {"quality": 85, "method": 0},
}
PICTURES = (
    *("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "retina.jpg", "camera.png"),
    *("hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png", "moon.png", "coins.png"),
    *("brick.png", "grass.png", "gravel.png", "cell.png", "clock_motion.png"),
)
GRAIN = 6

Hasher = Callable[[bytes], tuple[str, int]]

progress = Console(stderr=True)


def ours(mode: str) -> Hasher:
    settings = Settings.model_validate({"max_pixels": 1 << 30, "pdq_mode": mode})

    def hashed(content: bytes) -> tuple[str, int]:
        pdq = hash_photo(content, settings).pdq
        return pdq.hash, pdq.quality

    return hashed


PATHS: dict[str, Hasher] = {
    "threatexchange": pdq_from_bytes,
    "exact": ours("exact"),
    "fast": ours("fast"),
}


def _decoded(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()


def _decoded_reduced(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.draft("L", (FAST_LEAST, FAST_LEAST))
        image.load()


DECODERS: dict[str, Callable[[bytes], None]] = {"exact": _decoded, "fast": _decoded_reduced}
"""What each mode would begin with if Pillow decoded its JPEGs."""


def main(sizes: list[str], forms: list[str]) -> None:
    for size in sizes:
        lines = [line for form in forms for line in _lines(size, form)]
        for line in lines:
            print(json.dumps(line), flush=True)
        _write_table(size, lines)


def _lines(size: str, form: str) -> Iterator[dict[str, Any]]:
    progress.print(f"{size} {form}")
    seen = _child("times", size, form)
    with tempfile.NamedTemporaryFile(prefix="hma-bench-") as file:
        file.write(_saved(next(_photographs(SIZES[size])), form))
        file.flush()
        memory = {path: _child("memory", path, file.name) for path in PATHS}
    for mode in "exact", "fast":
        bits = seen["bits"][mode]
        figures = {
            "time": (seen["times"][mode], seen["times"]["threatexchange"], "ms"),
            **(
                {"pillow_decodes": (seen["decoding"][mode], seen["times"]["threatexchange"], "ms")}
                if form == "jpeg"
                else {}
            ),
            "memory": (memory[mode], memory["threatexchange"], "MB"),
            "bits_median": (np.median(bits), None, "bits"),
            "bits_p95": (np.percentile(bits, 95), None, "bits"),
            "bits_p99": (np.percentile(bits, 99), None, "bits"),
            "bits_max": (max(bits), None, "bits"),
        }
        for figure, (value, peer, unit) in figures.items():
            yield {
                "bench": "hash",
                "case": f"{mode}/{size}/{form}/{figure}",
                "ours": _rounded(value),
                "peer": None if peer is None else _rounded(peer),
                "peer_name": None if peer is None else "threatexchange",
                "ratio": round(peer / value, 2) if peer and value else None,
                "unit": unit,
                "pictures": len(bits),
                "bytes_per_pixel": round(seen["bytes_per_pixel"], 3),
            }


def _child(*args: str) -> Any:
    """What a process of its own measures, on one thread."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.hash", *args],
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def _times(size: str, form: str) -> dict[str, Any]:
    """Median milliseconds of each path over all pictures, and the bits of each picture."""
    megapixels = SIZES[size]
    most = 64 if megapixels <= 1 else 24 if megapixels <= 2 else 6 if megapixels <= 12 else 2
    repeats = 3 if megapixels <= 2 else 2
    times: dict[str, list[float]] = {path: [] for path in PATHS}
    decoding: dict[str, list[float]] = {mode: [] for mode in DECODERS}
    bits: dict[str, list[int]] = {path: [] for path in PATHS}
    sizes = []
    for number, image in enumerate(_photographs(megapixels)):
        if number == most:
            break
        content = _saved(image, form)
        sizes.append(len(content) / (image.width * image.height))
        del image
        best = dict.fromkeys(PATHS, float("inf"))
        found = {}
        least = dict.fromkeys(DECODERS, float("inf"))
        for _ in range(repeats):
            for mode, decoded in DECODERS.items():
                started = time.process_time()
                decoded(content)
                least[mode] = min(least[mode], time.process_time() - started)
            for path, hashed in PATHS.items():
                started = time.process_time()
                found[path] = int(hashed(content)[0], 16)
                best[path] = min(best[path], time.process_time() - started)
        for mode in DECODERS:
            decoding[mode].append(least[mode] * 1e3)
        for path in PATHS:
            times[path].append(best[path] * 1e3)
            bits[path].append((found[path] ^ found["threatexchange"]).bit_count())
    return {
        "times": {path: float(np.median(times[path])) for path in PATHS},
        "decoding": {mode: float(np.median(decoding[mode])) for mode in DECODERS},
        "bits": bits,
        "bytes_per_pixel": float(np.median(sizes)),
    }


def _memory(path: str, name: str) -> float:
    """Megabytes that hashing the file `name` adds to this process, at its peak."""
    PATHS[path](_saved(Image.new("RGB", (96, 96)), "jpeg"))  # what is loaded only once needed
    content = Path(name).read_bytes()
    before = _peak()
    PATHS[path](content)
    return _peak() - before


def _peak() -> float:
    """The most memory this process ever had, in megabytes; `getrusage` would add its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _photographs(megapixels: float) -> Iterator[Image.Image]:
    """Every photograph at that size, then the quarters of each."""
    random = np.random.default_rng(6)
    for name in PICTURES:
        with Image.open(PHOTOGRAPHS / name) as image:
            yield _sized(image.convert("RGB"), megapixels, random)
    for name in PICTURES:
        with Image.open(PHOTOGRAPHS / name) as image:
            whole = image.convert("RGB")
        half, middle = whole.width // 2, whole.height // 2
        for left in 0, half:
            for top in 0, middle:
                part = whole.crop((left, top, left + half, top + middle))
                yield _sized(part, megapixels, random)


def _sized(image: Image.Image, megapixels: float, random: np.random.Generator) -> Image.Image:
    scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
    width, height = round(image.width * scale), round(image.height * scale)
    large = image.resize((width, height), Image.Resampling.LANCZOS)
    grain = random.normal(0, GRAIN, 1 << 20).astype(np.float32)
    for top in range(0, height, 256):  # in slabs, as 48 megapixels of floats are 600 MB
        box = (0, top, width, min(top + 256, height))
        pixels = np.asarray(large.crop(box), np.float32)
        noise = np.resize(np.roll(grain, int(random.integers(1 << 20))), pixels.shape[:2])
        pixels = (pixels + noise[:, :, None]).clip(0, 255)
        large.paste(Image.fromarray(pixels.astype(np.uint8)), box)
    return large


def _saved(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **FORMATS[form])
    return out.getvalue()


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _write_table(size: str, lines: list[dict[str, Any]]) -> None:
    """Put this run's table in place of the last one of its size."""
    cases = {line["case"]: line for line in lines}
    rows = [
        "| | time, ms | Pillow decodes | threatexchange | | memory, MB | threatexchange | "
        "| bits off: median, 95 %, 99 %, most |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in dict.fromkeys(line["case"].rpartition("/")[0] for line in lines):
        mode, _, form = case.split("/")
        spent, held = cases[f"{case}/time"], cases[f"{case}/memory"]
        decodes = cases.get(f"{case}/pillow_decodes")
        pillow = f"{decodes['ours']}: {decodes['ratio']} x" if decodes else ""
        bits = [cases[f"{case}/bits_{part}"]["ours"] for part in ("median", "p95", "p99", "max")]
        rows.append(
            f"| {mode} {form} | {spent['ours']} | {pillow} "
            f"| {spent['peer']} | {spent['ratio'] or '-'} x "
            f"| {held['ours']} | {held['peer']} | {held['ratio'] or '-'} x "
            f"| {', '.join(f'{one:g}' for one in bits)} |"
        )
    put(
        f"hash {size}",
        f"### {size}, {lines[0]['pictures']} pictures, {lines[0]['bytes_per_pixel']} bytes a pixel"
        f"\n\n{machine()}\n\n" + "\n".join(rows),
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["times", size, form]:
            print(json.dumps(_times(size, form)))
        case ["memory", path, name]:
            print(json.dumps(_memory(path, name)))
        case chosen:
            sizes, forms = ([one for one in every if one in chosen] for every in (SIZES, FORMATS))
            main(sizes or list(SIZES), forms or list(FORMATS))
