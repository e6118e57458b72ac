"""By how much a picture was turned, if the corners that this left empty can be seen.

Where the colour of the corners ends are four straight lines, all turned by the same angle. So
the right angle is the one that puts the most of these points on the fewest lines (a Hough
transform of the points around the picture, which are few).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.hashing.variants.margins.box import Levels

Points = NDArray[np.float64]

TOLERANCE = 16
"""Gray levels from the corners' colour that are still this colour."""

MOST_POINTS = 600


@dataclass(frozen=True)
class Tilt:
    """A picture turned against the clock.

    Attributes:
        degrees: between -45 and 45; a turn by more is this after a quarter turn.
        center: of what is seen of it, in pixels from the left and from the top.
        size: width and height of that before it was turned.
    """

    degrees: float
    center: tuple[float, float]
    size: tuple[float, float]


def find_tilt(levels: Levels) -> Tilt | None:
    """How the picture in `levels` lies, or None where no corner is empty or it lies straight."""
    points = _outline(levels)
    if len(points) < 20:
        return None
    points = points[:: len(points) // MOST_POINTS + 1]
    degrees = np.arange(-44, 46, 1.0)
    for step in (0.1, None):
        best = float(degrees[_concentration(points, degrees).argmax()])
        if step is not None:
            degrees = best + np.arange(-1, 1 + step, step)
    if abs(best) < 0.3:
        return None
    across, down = (np.percentile(line, (0.5, 99.5)) for line in _turn(points, np.array([best])))
    middle = np.array([[across.mean(), down.mean()]])
    (x,), (y,) = _turn(middle, np.array([-best]))
    return Tilt(best, (float(x[0]), float(y[0])), (float(np.ptp(across)), float(np.ptp(down))))


def _outline(levels: Levels) -> Points:
    """Where the colour of the corners ends, seen from each side, as x and y; or no points."""
    none = np.empty((0, 2))
    corners = levels[[0, 0, -1, -1], [0, -1, 0, -1]]
    color = np.median(corners)
    if (np.abs(corners - color) <= TOLERANCE).sum() < 3:
        return none
    picture = np.abs(levels - color) > TOLERANCE
    height, width = levels.shape
    rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    if len(rows) < height / 4 or len(columns) < width / 4:
        return none
    sides = (
        (picture[rows].argmax(axis=1), rows + 0.5),
        (width - picture[rows, ::-1].argmax(axis=1), rows + 0.5),
        (columns + 0.5, picture[:, columns].argmax(axis=0)),
        (columns + 0.5, height - picture[::-1, columns].argmax(axis=0)),
    )
    points = np.concatenate([np.stack(side, axis=1) for side in sides])
    x, y = points.T
    inside: Points = points[(x > 0) & (x < width) & (y > 0) & (y < height)]
    return inside


def _turn(points: Points, degrees: NDArray[np.float64]) -> tuple[Points, Points]:
    """x and y of the points with the turn undone, by point and angle."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    x, y = points[:, :1], points[:, 1:]
    return x * cos - y * sin, x * sin + y * cos


def _concentration(points: Points, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each angle the sum of squares of how many points lie on each line, one pixel wide."""
    total = np.zeros(len(degrees))
    for line in _turn(points, degrees):
        place = np.rint(line - line.min()).astype(np.int64)
        lines = int(place.max()) + 1
        own = place + lines * np.arange(len(degrees))
        count = np.bincount(own.ravel(), minlength=lines * len(degrees))
        total += (count.reshape(len(degrees), lines).astype(float) ** 2).sum(axis=1)
    return total
