"""Which altered copies are found: `make bench-quality`.

Each of at least 100 photographs is banked and altered in every way of `tests.bench.alterations`.
Recall is the share of the copies within 31 bits of what was banked: by threatexchange's path, as
HMA hashes, by ours in both modes, and with each kind of variant added in turn, then with the
crops of what is banked. A false pair is a copy within 31 bits of another photograph. Prints JSON
lines, and rewrites the table in `docs/benchmarks.md` and the plot beside it. One thread a hash.
"""

import concurrent.futures
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes
from threatexchange.signal_type.pdq.signal import PdqSignal

from core.index.entry import Entry
from core.index.layers.binary import BinaryKind
from core.index.layers.columns import Columns
from core.index.layers.layer import Layer
from core.settings import Settings
from core.settings.variant import KINDS
from core.signal_types.enabled import SignalTypes
from core.signal_types.hash_content import HashedContent, hash_content
from tests.bench.alterations import ALTERATIONS, jpeg
from tests.bench.photographs import Photograph, photographs
from tests.bench.plot import plot
from tests.bench.report import put

DOCS = Path(__file__).parents[2] / "docs"
NEAR = 31
THEIRS, EXACT, FAST = "threatexchange", "exact", "fast"
STILL = tuple(kind for kind in KINDS if kind != "frame")
STEPS = (THEIRS, EXACT, FAST, *(f"+ {kind}" for kind in STILL), "+ crops")
"""What is hashed; from `exact` on, each line of the table adds to the one before it."""
BANK_ROWS = 100_000

Codes = NDArray[np.uint64]
progress = Console(stderr=True)


class Outcome(NamedTuple):
    """What looking one copy up found, by step: whether the original, and how many others."""

    alteration: str
    found: dict[str, bool]
    false: dict[str, int]


class Bank(NamedTuple):
    """Hashes, the number of each one's photograph, and which hashes are of crops."""

    codes: Codes
    owners: NDArray[np.int64]
    crops: NDArray[np.bool_]


def main() -> None:
    count = len(_pictures())
    assert count >= 100
    outcomes: list[Outcome] = []
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, found in enumerate(pool.map(_looked_up, range(count)), start=1):
            outcomes += found
            progress.print(f"{number} of {count} photographs")
    recall = _recall(outcomes)
    false = {step: sum(one.false[step] for one in outcomes) for step in STEPS}
    pairs = len(outcomes) * (count - 1)
    lines = list(_lines(recall, false, _times()))
    for line in lines:
        print(json.dumps(line), flush=True)
    _write(recall, false, pairs, count, lines)


@cache
def _pictures() -> tuple[Photograph, ...]:
    return tuple(photographs())


@cache
def _types() -> SignalTypes:
    return SignalTypes.from_settings(_settings("exact"))


@cache
def _settings(mode: str) -> Settings:
    return Settings.from_env({"HMA_PDQ_MODE": mode})


@cache
def _bank() -> Bank:
    hashes: list[str] = []
    owners: list[int] = []
    crops: list[bool] = []
    for number, picture in enumerate(_pictures()):
        data = _png(picture.image)
        hashed = _hash(data, crops=True)
        mine = [hashed.signals["pdq"], *hashed.crops]
        hashes += mine
        owners += [number] * len(mine)
        crops += [False] + [True] * (len(mine) - 1)
    return Bank(_codes(hashes), np.array(owners), np.array(crops))


def _looked_up(number: int) -> list[Outcome]:
    """Every copy of one photograph."""
    outcomes = []
    for name, change in ALTERATIONS.items():
        data = change(_pictures()[number].image)
        near = _near(_hashed(data))
        outcomes.append(
            Outcome(
                name,
                {step: number in found for step, found in near.items()},
                {step: len(found - {number}) for step, found in near.items()},
            )
        )
    return outcomes


def _hashed(data: bytes) -> dict[str, list[str]]:
    """The hashes that each step looks up."""
    exact = _hash(data, kinds=STILL)
    hashed = {
        THEIRS: [_theirs(data)],
        EXACT: [exact.signals["pdq"]],
        FAST: [_hash(data, "fast").signals["pdq"]],
    }
    so_far = hashed[EXACT]
    for kind in STILL:
        so_far = so_far + [variant.hash for variant in exact.variants if variant.kind == kind]
        hashed[f"+ {kind}"] = so_far
    hashed["+ crops"] = so_far
    return hashed


def _near(hashed: dict[str, list[str]]) -> dict[str, set[int]]:
    """The photographs that one of each step's hashes is near to."""
    bank, known = _bank(), sorted({one for hashes in hashed.values() for one in hashes if one})
    near = np.zeros((len(known), len(bank.owners)), bool)
    for row, code in zip(near, _codes(known), strict=True):
        row[:] = np.bitwise_count(bank.codes ^ code).sum(axis=1) <= NEAR
    found = {}
    for step, hashes in hashed.items():
        mine = near[[known.index(one) for one in hashes if one]].any(axis=0)
        counted = mine if step == "+ crops" else mine & ~bank.crops
        found[step] = set(bank.owners[counted].tolist())
    return found


def _codes(hashes: list[str]) -> Codes:
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, 4)


def _theirs(data: bytes) -> str:
    try:
        value, quality = pdq_from_bytes(data)
    except Exception:  # as HMA, which answers 500
        return ""
    return str(value) if quality >= 50 else ""


def _hash(data: bytes, mode: str = "exact", **further: Any) -> HashedContent:
    return hash_content(_types(), _settings(mode), "photo", data, ["pdq"], **further)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _recall(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    """Per cent by alteration and step."""
    return {
        name: {
            step: 100 * float(np.mean([o.found[step] for o in outcomes if o.alteration == name]))
            for step in STEPS
        }
        for name in ALTERATIONS
    }


def _times() -> dict[str, float]:
    """Milliseconds of the processor from the bytes of a JPEG of 2 megapixels; the fastest of nine.

    Of a kind of variant, and of the crops, it is the time with the exact hash. `lookup` is all
    there is to one with every variant: all hashes, and the search for each of them among 100,000
    banked hashes.
    """
    data = jpeg(_pictures()[0].image.resize((1632, 1224), Image.Resampling.LANCZOS), 90)
    bank = _random_bank()

    def lookup() -> None:
        hashed = _hash(data, kinds=STILL)
        bank.search([hashed.signals["pdq"], *(each.hash for each in hashed.variants)], NEAR)

    work: dict[str, Callable[[], Any]] = {
        THEIRS: lambda: _theirs(data),
        EXACT: lambda: _hash(data),
        FAST: lambda: _hash(data, "fast"),
        **{
            f"+ {kind}": lambda kind=kind: _hash(data, kinds=[kind])  # type: ignore[misc]
            for kind in KINDS
        },
        "+ crops": lambda: _hash(data, crops=True),
        "lookup": lookup,
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(9):
        for name, call in work.items():
            started = time.process_time()
            call()
            times[name].append(1e3 * (time.process_time() - started))
    return {name: min(taken) for name, taken in times.items()}


def _random_bank() -> Layer:
    codes = np.random.default_rng(4).integers(0, 256, (BANK_ROWS, 32), dtype=np.uint8)
    entries = (Entry(at, 1, (bytes(code).hex(),)) for at, code in enumerate(codes, start=1))
    kind = BinaryKind()
    return Layer(kind, PdqSignal, Columns.of(kind, entries).files())


def _lines(
    recall: dict[str, dict[str, float]], false: dict[str, int], times: dict[str, float]
) -> Iterator[dict[str, Any]]:
    means = {step: _mean(recall, step) for step in STEPS}
    for step in STEPS[1:]:
        yield _line(f"recall/mean/{step}", means[step], means[THEIRS], "%")
    for name, row in recall.items():
        yield _line(f"recall/{name}/all", row[STEPS[-1]], row[THEIRS], "%")
    for step in STEPS[1:]:
        yield _line(f"false_pairs/{step}", false[step], false[THEIRS], "pairs", less=True)
    for name, taken in times.items():
        if name != THEIRS:
            yield _line(f"time/{name}", taken, times[THEIRS], "ms", less=True)


def _mean(recall: dict[str, dict[str, float]], step: str) -> float:
    return float(np.mean([row[step] for row in recall.values()]))


def _line(
    case: str, ours: float, theirs: float, unit: str, *, less: bool = False
) -> dict[str, Any]:
    better, worse = (theirs, ours) if less else (ours, theirs)
    return {
        "bench": "quality",
        "case": case,
        "ours": round(ours, 2),
        "peer": round(theirs, 2),
        "peer_name": THEIRS,
        "ratio": round(better / worse, 2) if worse else None,
        "unit": unit,
    }


def _write(
    recall: dict[str, dict[str, float]],
    false: dict[str, int],
    pairs: int,
    count: int,
    lines: list[dict[str, Any]],
) -> None:
    (DOCS / "recall.svg").write_text(
        plot({name: (row[THEIRS], row[STEPS[-1]]) for name, row in recall.items()})
    )
    head = ["| alteration | " + " | ".join(STEPS) + " |", "|---" * (len(STEPS) + 1) + "|"]
    rows = [
        f"| {name} | " + " | ".join(f"{row[step]:.0f}" for step in STEPS) + " |"
        for name, row in recall.items()
    ]
    mean = "| **mean** | " + " | ".join(f"**{_mean(recall, step):.1f}**" for step in STEPS) + " |"
    wrong = "| false pairs | " + " | ".join(str(false[step]) for step in STEPS) + " |"
    times = [line for line in lines if line["case"].startswith("time/")]
    spent = ["| 2 MP JPEG | ms | threatexchange's hash, ms |", "|---|---|---|"]
    spent += [f"| {t['case'][5:]} | {t['ours']} | {t['peer']} |" for t in times]
    made = (
        f"{count} photographs, {len(recall)} alterations, {pairs} unrelated pairs, "
        f"{time.strftime('%Y-%m-%d')}. Recall in per cent.\n\n![recall](recall.svg)\n\n"
    )
    body = "\n".join([*head, *rows, mean, wrong, "", *spent])
    put("quality", made + body)


if __name__ == "__main__":
    main()
