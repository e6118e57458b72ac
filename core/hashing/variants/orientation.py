"""A picture turned and mirrored: the names of that, and what it does to the bits of a hash.

Knows nothing of pixels.
"""

import numpy as np
from numpy.typing import NDArray

from core.settings.variant import Variant

NAMES = (
    ("upright", "transpose"),
    ("mirror", "turn90"),
    ("flip", "turn270"),
    ("turn180", "transverse"),
)
"""As it is, mirrored, flipped, both; and each of them transposed. Turns are against the clock."""


def orient_hash(signal: str) -> list[Variant]:
    """What a PDQ hash would be of the same picture turned and mirrored: about what it would be.

    Mirroring changes the sign of every other coefficient. A bit says whether a coefficient is
    above their median, which is nearly zero, so its opposite nearly says it of the negative one:
    6 bits are wrong at the median for a picture of half a megapixel, and 20 for one 250 pixels
    wide, whose samples `pdqhash` takes half a pixel off the middle. Transposing is exact.
    """
    packed = np.frombuffer(bytes.fromhex(signal), np.uint8)
    upright = np.unpackbits(packed)[::-1].reshape(16, 16).astype(bool)
    odd = np.arange(1, 17) % 2 == 1
    orientations: dict[str, NDArray[np.bool_]] = {}
    for flipped, names in ((False, NAMES[:2]), (True, NAMES[2:])):
        for mirrored, pair in zip((False, True), names, strict=True):
            seen = upright ^ (odd & mirrored) ^ (odd & flipped)[:, None]
            orientations |= dict(zip(pair, (seen, seen.T), strict=True))
    del orientations["upright"]
    return [
        Variant("orientation", name, np.packbits(seen.ravel()[::-1]).tobytes().hex())
        for name, seen in orientations.items()
    ]
