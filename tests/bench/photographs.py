"""The photographs that recall is measured on: regions of those that come with packages.

scikit-image and scikit-learn ship few photographs, but large ones. A region of one is a picture
in its own right if no two of them share a pixel, so each is cut along a grid. Regions that PDQ
can tell too little about are left out: nobody can bank them. Nothing here may be looked at when
`core.hashing.variants.photo` is tuned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pdqhash
from PIL import Image

GRIDS = {
    "skimage/data/astronaut.png": (3, 2),
    "skimage/data/brick.png": (3, 2),
    "skimage/data/camera.png": (3, 2),
    "skimage/data/cell.png": (2, 2),
    "skimage/data/chelsea.png": (2, 1),
    "skimage/data/clock_motion.png": (1, 1),
    "skimage/data/coffee.png": (3, 2),
    "skimage/data/coins.png": (2, 1),
    "skimage/data/grass.png": (3, 2),
    "skimage/data/gravel.png": (3, 2),
    "skimage/data/hubble_deep_field.jpg": (5, 3),
    "skimage/data/ihc.png": (2, 2),
    "skimage/data/moon.png": (2, 2),
    "skimage/data/motorcycle_left.png": (4, 2),
    "skimage/data/retina.jpg": (5, 5),
    "skimage/data/rocket.jpg": (3, 2),
    "sklearn/datasets/images/china.jpg": (3, 2),
    "sklearn/datasets/images/flower.jpg": (3, 2),
}
"""Regions across and down."""

LEAST_QUALITY = 50


@dataclass(frozen=True)
class Photograph:
    name: str
    image: Image.Image


def photographs() -> Iterator[Photograph]:
    """Every region that has a PDQ hash to speak of."""
    for name, grid in GRIDS.items():
        package, _, path = name.partition("/")
        spec = find_spec(package)
        assert spec is not None, f"{package} is not installed"
        assert spec.origin is not None
        yield from regions(Path(spec.origin).parent / path, *grid)


def regions(path: Path, across: int, down: int) -> Iterator[Photograph]:
    """A photograph cut into `across` times `down`, row by row."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    width, height = image.width // across, image.height // down
    for row in range(down):
        for column in range(across):
            left, top = column * width, row * height
            region = image.crop((left, top, left + width, top + height))
            if pdqhash.compute(np.asarray(region))[1] >= LEAST_QUALITY:
                yield Photograph(f"{path.stem}/{row}{column}", region)
