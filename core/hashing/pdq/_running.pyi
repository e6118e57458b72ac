"""`running.c`: sums over a window that moves along rows."""

import numpy as np
from numpy.typing import NDArray

def sums(
    rows: NDArray[np.float32],
    out: NDArray[np.float32],
    width: int,
    size: int,
    ahead: int,
    /,
) -> None:
    """For each number of each row, of `width` numbers, the sum of those in its window.

    Args:
        out: room for as many sums; not the rows themselves.
        size: how many numbers are in a window.
        ahead: how many of these do not come before the number, 1 to `size`.

    Raises:
        ValueError: the sizes do not fit one another.
    """
