"""A table in Markdown."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of a table; bars and line ends within cells do not break it."""
    lines = [_line(header), "|---" * len(header) + "|", *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    words = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"|{'|'.join(f' {word} ' if word else ' ' for word in words)}|"
