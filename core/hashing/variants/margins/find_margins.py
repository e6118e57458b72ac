"""Where, within a picture, another one may begin: inside a border, a caption, a screenshot.

Nothing here is certain, and nothing has to be: each guess is hashed and looked up, and a wrong
one finds nothing. So several finders guess, each from something else that margins have.
"""

from core.hashing.variants.margins.bands import find_inside_bands
from core.hashing.variants.margins.blurred_sides import find_between_blurred_sides
from core.hashing.variants.margins.box import Levels, Part
from core.hashing.variants.margins.growing import find_grown
from core.hashing.variants.margins.steps import find_framed


def find_margins(levels: Levels) -> list[Part]:
    """The parts of a picture that may be all that somebody has copied, the likeliest first."""
    height, width = levels.shape
    parts: list[Part] = [(0, 0, width, height)]
    for box in (
        *find_grown(levels),
        *find_inside_bands(levels),
        *find_between_blurred_sides(levels),
        *find_framed(levels),
    ):
        if not any(_are_close(box, other) for other in parts):
            parts.append(box)
    return parts[1:]  # all of it is no guess


def _are_close(part: Part, other: Part) -> bool:
    return all(abs(a - b) <= 1 for a, b in zip(part, other, strict=True))
