"""A plot of recall: for each alteration a bar from what is found by one path to what by another."""

from collections.abc import Mapping
from html import escape

LEFT, WIDTH, ROW, TOP = 210, 500, 17, 46


def plot(recall: Mapping[str, tuple[float, float]]) -> str:
    """An SVG of (theirs, ours) in per cent by alteration, in the order given."""
    height = TOP + ROW * len(recall) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="16" fill="#8a8f98">&#9679; threatexchange</text>',
        f'<text x="{LEFT + 120}" y="16" fill="#1a6ed8">&#9679; all variants and crops</text>',
    ]
    for share in range(0, 101, 20):
        x = LEFT + WIDTH * share / 100
        parts += [
            f'<line x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{height - 8}" stroke="#e3e5e8"/>',
            f'<text x="{x}" y="{TOP - 12}" text-anchor="middle" fill="#555">{share} %</text>',
        ]
    for number, (name, (theirs, ours)) in enumerate(recall.items()):
        y = TOP + ROW * (number + 0.5)
        one, other = (LEFT + WIDTH * share / 100 for share in (theirs, ours))
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end" fill="#222">'
            f"{escape(name)}</text>",
            f'<line x1="{one:.1f}" y1="{y}" x2="{other:.1f}" y2="{y}" stroke="#9ec2f0" '
            'stroke-width="5"/>',
            f'<circle cx="{one:.1f}" cy="{y}" r="4" fill="#8a8f98"/>',
            f'<circle cx="{other:.1f}" cy="{y}" r="4" fill="#1a6ed8"/>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"
