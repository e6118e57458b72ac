"""PDQ, a perceptual hash of images: the same 256 bits and the same quality as `pdqhash`, sooner.

Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook,
2019) and its reference code in C++, which the `pdqhash` package wraps.

PDQ takes the luma L of an image (H rows, W columns), smooths it twice along each axis with a
moving average of 1/128 of that axis, and keeps 64 x 64 evenly spaced samples. From these come the
quality, a count of significant differences between neighbours, and a discrete cosine transform,
of whose coefficients 1 to 16 along each axis a bit is set for each one above their median.

**Smoothing and sampling are linear**, and so is luma. The samples are R(H) L R(W)ᵀ, where the 64
rows of R(n) hold the weights of one sample each. A row is zero but for about n/64 neighbours, so
the product reads every pixel about once, where the moving averages write every pixel four times:
two megapixels take 2.7 ms, and 75 in `pdqhash` on the same machine.

**Exactness.** `pdqhash` rounds to 32-bit floats along the way, which moves a coefficient by up to
0.002. That may change a hash where the coefficients on both sides of the median are as near to
each other: in two photographs of a hundred, and in every picture whose symmetry makes half of
them zero, where `pdqhash` sets bits by its rounding errors alone. Only these are smoothed as the
definition says, by the same 32-bit operations in the same order. So hashes that HMA has made of
flags, patterns and logos are found too.

**Orientations.** R is not symmetric: pdqhash's windows reach further one way than the other. So the
samples of a mirrored image are those of R mirrored, and changing the signs of every other
coefficient instead would leave the hash up to 22 bits off. An image that its file
says is to be turned is read as it is stored, with R mirrored where need be.

| file | knows |
|---|---|
| `smoothing` | R(n), and its product with the rows of an image as they come |
| `matrix` | PDQ as two matrix products |
| `definition` | PDQ in the reference code's own roundings, for where they decide |
"""

from core.hashing.pdq.definition import by_definition
from core.hashing.pdq.matrix import (
    AS_SEEN,
    LEAST_QUALITY,
    SMALLEST,
    Doubles,
    Pdq,
    approximate,
    by_matrix,
    frequencies_needed,
    from_samples,
)
from core.hashing.pdq.smoothing import SAMPLES, Rows, centres, window

__all__ = [
    "AS_SEEN",
    "LEAST_QUALITY",
    "SAMPLES",
    "SMALLEST",
    "Doubles",
    "Pdq",
    "Rows",
    "approximate",
    "by_definition",
    "by_matrix",
    "centres",
    "compute",
    "frequencies_needed",
    "from_samples",
    "window",
]


def compute(image: Rows, least: int = 0) -> Pdq:
    """The PDQ of an image of bytes, exactly as `pdqhash` has it.

    Args:
        least: a quality below which the hash is of no use: where it surely is below, rounding
            errors are not followed. What is blank costs no more than what is not.
    """
    return by_matrix(image, least) or by_definition(image)
