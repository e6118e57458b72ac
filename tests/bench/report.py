"""What benchmarks share: figures beside peers', as JSON lines and in `docs/benchmarks.md`."""

import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Line = dict[str, Any]


@dataclass
class Figures:
    """What was measured of one implementation, by figure."""

    name: str
    values: dict[str, float] = field(default_factory=dict)

    def percentiles(self, seconds: list[float]) -> None:
        """`query_p50`, `query_p95` and `query_p99` of these times, in milliseconds."""
        for percent in (50, 95, 99):
            self.values[f"query_p{percent}"] = float(np.percentile(seconds, percent)) * 1e3


def lines(bench: str, case: str, ours: Figures, peers: Sequence[Figures]) -> Iterator[Line]:
    """A line for each figure of ours and each peer that has it, or one without a peer."""
    for figure, value in ours.values.items():
        with_figure = [peer for peer in peers if figure in peer.values]
        for peer in with_figure or [Figures("")]:
            theirs = peer.values.get(figure)
            yield {
                "bench": bench,
                "case": f"{figure}/{case}",
                "ours": _rounded(value),
                "peer": _rounded(theirs),
                "peer_name": peer.name or None,
                "ratio": round(theirs / value, 2) if theirs and value else None,
                "unit": _unit(figure),
            }


def publish(bench: str, scale: str, lines: Sequence[Line]) -> None:
    """Print the lines, and put their table in place of the last one of this bench and scale."""
    for line in lines:
        print(json.dumps(line), flush=True)
    rows = ["| case | ours | peer | | ratio | unit |", "|---|---|---|---|---|---|"]
    rows += [
        f"| {line['case']} | {line['ours']} | {line['peer'] or ''} | {line['peer_name'] or ''} "
        f"| {line['ratio'] or ''} | {line['unit']} |"
        for line in lines
    ]
    put(f"{bench} {scale}", f"### {scale} rows\n\n{machine()}\n\n" + "\n".join(rows))


def put(place: str, text: str) -> None:
    """Put `text` into `docs/benchmarks.md`: what last stood in this place, or at the end."""
    page = Path(__file__).parents[2] / "docs" / "benchmarks.md"
    text = f"<!-- {place} -->\n{text}\n<!-- /{place} -->"
    pattern = re.compile(f"<!-- {re.escape(place)} -->.*?<!-- /{re.escape(place)} -->", re.DOTALL)
    content, count = pattern.subn(lambda _: text, page.read_text())
    page.write_text(content if count else f"{content.rstrip()}\n\n{text}\n")


def machine() -> str:
    """What was measured on, and when."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    processor = names[0] if names else platform.processor()
    return (
        f"{os.cpu_count()} cores, {memory >> 30} GB, {processor}, "
        f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}."
    )


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def resident() -> int:
    """Bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _unit(figure: str) -> str:
    return "bytes" if figure.endswith("_bytes") else "s" if figure.endswith("_s") else "ms"
