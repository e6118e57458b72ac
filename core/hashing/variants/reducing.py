"""The rows of a photograph on their way to its PDQ, and what is left of them: a reduced picture.

PDQ reads each row of a large JPEG once and keeps none. Who wants variants too would have to decode
it again, for as long as all else takes; the sums of what passes cost a tenth of that.
"""

import numpy as np

from core.hashing import pdq
from core.hashing.variants.reduced_picture import SIDE, Floats

AT_ONCE = 64
"""Rows that are read together where PDQ wants no more of them."""


class ReducingRows:
    """Rows of luma, of which each is added up as it is read for the first time.

    As of what they are read from, no slice starts above the one before.
    """

    def __init__(self, rows: pdq.Rows) -> None:
        self._rows = rows
        height, width = rows.shape
        self._factor = max(1, min(height, width) // SIDE)
        size = -(-height // self._factor), -(-width // self._factor)
        self._sums = np.zeros(size, np.float32)
        self._passed = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return self._rows.shape

    def __getitem__(self, rows: slice) -> Floats:
        """Some rows, for as long as no others are asked for."""
        top, bottom, _ = rows.indices(self.shape[0])
        first = min(top, self._passed)
        lines: Floats = self._rows[first:bottom]
        self._add(lines[self._passed - first :])
        return lines[top - first :]

    def levels(self) -> Floats:
        """The means of squares of pixels, 512 or more along both sides if there are so many.

        Once: they take the place of the sums.
        """
        height = self.shape[0]
        while self._passed < height:
            self[self._passed : min(self._passed + AT_ONCE, height)]
        down, across = (
            np.minimum(side - np.arange(0, side, self._factor), self._factor).astype(np.float32)
            for side in self.shape
        )
        means = self._sums
        means /= down[:, None]
        means /= across
        return np.rint(means, out=means)  # as 8-bit gray, by which margins are told

    def _add(self, lines: Floats) -> None:
        for start in range(0, len(lines), AT_ONCE):  # few, which the cache still has
            few = lines[start : start + AT_ONCE]
            begun = min(-self._passed % self._factor, len(few))
            whole = begun + (len(few) - begun) // self._factor * self._factor
            self._add_groups(few[:begun], begun)
            self._add_groups(few[begun:whole], self._factor)
            self._add_groups(few[whole:], len(few) - whole)

    def _add_groups(self, lines: Floats, height: int) -> None:
        """Lines of which so many are, or are a part of, one line of squares."""
        if len(lines):
            down = lines[::height].copy()
            for row in range(1, height):
                down += lines[row::height]
            first = self._passed // self._factor
            sums = self._sums[first : first + len(down)]
            for column in range(min(self._factor, down.shape[1])):
                columns = down[:, column :: self._factor]
                sums[:, : columns.shape[1]] += columns
            self._passed += len(lines)
