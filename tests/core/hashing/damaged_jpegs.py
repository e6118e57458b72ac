"""JPEGs of every kind, whole and damaged, through our decoder: it agrees with Pillow, or refuses.

Prints what came of them as one JSON line. `python -m tests.core.hashing.damaged_jpegs ROUNDS FILE`
takes the decoder from FILE, which may be one that was built with sanitizers: these end the process
at the first byte that is read or written where it should not be.
"""

import importlib.util
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.hashing.pdq.definition import luma

KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"subsampling": "4:4:4"},
    {"subsampling": "4:2:2"},
    {"subsampling": "4:2:0"},
    {"restart_marker_blocks": 3},
    {"restart_marker_rows": 1},
    {"optimize": True},
    {"progressive": True},
    {"keep_rgb": True},
    {"quality": 100, "subsampling": "4:4:4"},
    {"quality": 5},
)
SIZES = ((5, 5), (6, 9), (17, 16), (33, 47), (64, 64), (150, 90), (301, 211))


def whole(choose: random.Random) -> Iterator[bytes]:
    """A JPEG of each kind at each size; some in gray, some in CMYK."""
    noise = np.random.default_rng(choose.randrange(1 << 32))
    for width, height in SIZES:
        for kind in KINDS:
            across, down = np.linspace(0, 6, width), np.linspace(0, 5, height)[:, None]
            waves = [128 + 120 * np.sin(across * k + down * (4 - k)) for k in (1, 2, 3)]
            grain = noise.normal(0, choose.choice([0, 5, 40, 120]), (height, width, 3))
            pixels = (np.stack(waves, axis=2) + grain).clip(0, 255).astype(np.uint8)
            image, options = Image.fromarray(pixels), dict(kind)
            if choose.random() < 0.2:
                image = image.convert(choose.choice(["L", "L", "L", "CMYK"]))
                options.pop("subsampling", None)
                options.pop("keep_rgb", None)
            out = io.BytesIO()
            image.save(out, "JPEG", **{"quality": choose.choice([30, 75, 95]), **options})
            yield out.getvalue()


def damaged(content: bytes, choose: random.Random) -> bytes:
    """With bytes changed, left out or added, or cut short; more of it among the headers."""
    data = bytearray(content)
    for _ in range(choose.choice([1, 1, 1, 2, 3, 8])):
        place = choose.randrange(len(data) if choose.random() < 0.5 else min(len(data), 700))
        match choose.choices(["byte", "bit", "less", "more", "cut"], [5, 2, 1, 1, 1])[0]:
            case "byte":
                data[place] = choose.randrange(256)
            case "bit":
                data[place] ^= 1 << choose.randrange(8)
            case "less":
                del data[place : place + choose.choice([1, 2, 30, 1000])]
            case "more":
                data[place:place] = choose.randbytes(choose.choice([1, 2, 20]))
            case "cut":
                del data[place:]
        if not data:
            return b"\xff"
    return bytes(data)


def ours(module: ModuleType, content: bytes, choose: random.Random) -> NDArray[np.float32] | None:
    """All of its luma, some rows at a time, in whatever shape it says that it has; or None."""
    try:
        file = module.Jpeg(content)
        rows: NDArray[np.float32] = np.empty(file.size if np.prod(file.size) < 4e6 else (1, 1), "f")
        place = 0
        while len(rows) > 1 and place < len(rows):
            count = min(choose.choice([1, 2, 7, 64]), len(rows) - place)
            file.rows(rows[place : place + count])
            place += count
    except NotImplementedError:
        return None
    return rows if len(rows) > 1 else None


def lowest(module: ModuleType, content: bytes, keep: int) -> None:
    """Read it to the frequencies of its blocks, for what that does to the process."""
    try:
        file = module.Jpeg(content)
        down, across = file.blocks
        if down * across * keep * keep < 4e6:
            file.cosines(np.empty((down * keep, across * keep), np.float32), keep)
    except NotImplementedError:
        pass


def theirs(content: bytes) -> NDArray[np.float32] | None:
    """The luma of what Pillow decodes; None where it decodes nothing."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return luma(np.asarray(image))
    except Exception:  # it raises almost anything on damaged files
        return None


def main(rounds: int, where: str | None) -> None:
    if where is None:
        from core.hashing.jpeg import _decoder as module
    else:
        spec = importlib.util.spec_from_file_location("_decoder", where)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    choose = random.Random(7)
    files = list(whole(choose))
    seen: Counter[str] = Counter()
    for number in range(rounds):
        content = files[number % len(files)]
        if number >= len(files):
            content = damaged(content, choose)
        lowest(module, content, choose.randrange(1, 9))
        found = ours(module, content, choose)
        if found is None:
            seen["refused"] += 1
            continue
        expected = theirs(content)
        seen["decoded"] += 1
        if expected is None:
            seen["decoded, but Pillow does not"] += 1
        elif not np.array_equal(found, expected):
            seen["decoded, but not as Pillow does"] += 1
    print(json.dumps(dict(seen)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
