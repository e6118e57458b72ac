"""`decoder.c`: one JPEG, read once, by one thread at a time."""

import numpy as np
from numpy.typing import NDArray

class Jpeg:
    """A baseline JPEG.

    Attributes:
        size: height and width.
        blocks: of luma, down and across; whole MCUs, and so some of them may lie outside.

    Raises:
        NotImplementedError: it is not for this decoder.
    """

    def __init__(self, content: bytes, /) -> None: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def blocks(self) -> tuple[int, int]: ...
    def rows(self, out: NDArray[np.float32], /) -> None:
        """The next rows of luma: 32-bit floats, as many as there is room for."""

    def cosines(self, out: NDArray[np.float32], keep: int, /) -> None:
        """The keep x keep lowest frequencies of each block: 32-bit floats, for exactly these."""
