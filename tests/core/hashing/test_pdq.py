"""Our PDQ is `pdqhash`'s: every bit and the quality, of every image."""

import tracemalloc
from pathlib import Path

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from core.hashing import pdq
from core.hashing.pdq import Pdq, compute, definition, matrix, smoothing
from core.hashing.pdq._running import sums
from core.hashing.pdq.definition import luma, running_sums, sample_rounded, transform_rounded
from core.hashing.pdq.matrix import Pixels, sample
from tests.pictures import PHOTOGRAPHS

PICTURES = sorted(
    path.name for path in PHOTOGRAPHS.iterdir() if path.suffix in (".png", ".jpg", ".gif")
)

SYMMETRIC = ("chessboard_GRAY.png", "chessboard_RGB.png")
"""Pictures of which half of the coefficients are zero, but for rounding."""

SIZES = [
    *((64, 64), (128, 128), (129, 127), (512, 512), (1024, 768)),  # width, height
    *((5, 5), (6, 9), (63, 65), (100, 31), (333, 500), (641, 479), (1367, 1025)),
    *((5, 400), (900, 7), (17, 1000), (1600, 99)),
]


def oracle(rgb: Pixels) -> Pdq:
    vector, quality = pdqhash.compute(np.ascontiguousarray(rgb))  # it misreads any other layout
    return Pdq(np.packbits(vector).tobytes().hex(), quality)


def apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def pixels(name: str, size: tuple[int, int] | None = None) -> Pixels:
    with Image.open(PHOTOGRAPHS / name) as image:
        rgb = image.convert("RGB")
    return np.asarray(rgb.resize(size) if size else rgb)


def noise(seed: int, height: int, width: int, levels: int = 256) -> Pixels:
    random = np.random.default_rng(seed)
    return random.integers(0, levels, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_at_their_own_size(name: str) -> None:
    """Each picture that comes with scikit-image as it is: photographs, drawings, patterns."""
    rgb = pixels(name)
    assert compute(rgb) == oracle(rgb)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["coffee.png", "retina.jpg", "text.png", *SYMMETRIC])
def test_pictures_at_many_sizes(name: str, size: tuple[int, int]) -> None:
    """Even and odd, tiny and large, square and long sizes, in shapes that images have or don't."""
    rgb = pixels(name, size)
    assert compute(rgb) == oracle(rgb)


def test_tiny_images() -> None:
    """Every size from 1 x 1 to 12 x 12: there is no hash below 5 pixels."""
    for height in range(1, 13):
        for width in range(1, 13):
            rgb = noise(height * 100 + width, height, width)
            assert compute(rgb) == oracle(rgb), (height, width)
            assert (compute(rgb) == Pdq("0" * 64, 0)) == (min(height, width) < 5)


@pytest.mark.parametrize("shape", [(300, 200), (64, 64), (1000, 1400), (2100, 60), (60, 2100)])
@pytest.mark.parametrize("levels", [2, 7, 256])
def test_noise(shape: tuple[int, int], levels: int) -> None:
    """Random pixels, few levels or many, across the borders of all slabs and blocks."""
    for seed in range(5):
        rgb = noise(seed, *shape, levels)
        assert compute(rgb) == oracle(rgb)


@pytest.mark.parametrize("level", [0, 1, 77, 128, 254, 255])
def test_flat_images(level: int) -> None:
    """One gray all over: quality 0, and the bits that pdqhash draws from its rounding errors."""
    for height, width in (64, 64), (65, 64), (300, 301), (9, 1200):
        rgb = np.full((height, width, 3), level, np.uint8)
        assert compute(rgb) == oracle(rgb)
        assert compute(rgb).quality == 0


def test_stripes_and_ramps() -> None:
    """Flags and gradients, which vary along one axis and leave 240 coefficients zero."""
    ramp = np.linspace(0, 255, 480).astype(np.uint8)
    stripes = np.repeat(np.array([0, 255, 130], np.uint8), 160)
    for line in ramp, stripes:
        gray = np.broadcast_to(line, (320, 480))
        rgb = np.stack([gray, gray[:, ::-1], np.roll(gray, 100, axis=1)], axis=2)
        assert compute(rgb) == oracle(rgb)
        assert compute(rgb.transpose(1, 0, 2)) == oracle(rgb.transpose(1, 0, 2))


def test_faint_pictures() -> None:
    """Photographs with little contrast, whose quality is about the threshold."""
    rgb = pixels("chelsea.png")
    qualities = set()
    for contrast in np.linspace(0.02, 0.5, 25):
        faint = (rgb * contrast + 40).astype(np.uint8)
        assert compute(faint) == oracle(faint)
        qualities.add(compute(faint).quality)
    assert min(qualities) < 50 < max(qualities)


@settings(max_examples=150, deadline=None)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 80), st.integers(1, 80), st.just(3)),
        elements=st.sampled_from([0, 1, 127, 128, 254, 255]),
        fill=st.sampled_from([0, 128, 255]),
    )
)
def test_any_image(rgb: Pixels) -> None:
    """Whatever pixels an adversary may choose."""
    assert compute(rgb) == oracle(rgb)


def test_rows_need_not_be_contiguous() -> None:
    """Mirrored, turned and cropped views of an image hash as their copies do."""
    rgb = pixels("rocket.jpg")
    for view in rgb[::-1], rgb[:, ::-1], rgb.transpose(1, 0, 2), rgb[10:-10, 20:-20]:
        assert compute(view) == oracle(view)


def test_orientations_are_those_of_the_turned_picture() -> None:
    """By EXIF's numbers, all eight hash as pdqhash hashes the pixels turned, at any size."""
    for size in (64, 64), (512, 512), (640, 481), (300, 401):
        for name in "astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg":
            rgb = pixels(name, size)
            across = rgb.transpose(1, 0, 2)
            upright = {
                1: rgb,
                2: rgb[:, ::-1],
                3: np.rot90(rgb, 2),
                4: rgb[::-1],
                5: across,
                6: np.rot90(rgb, 3),
                7: np.rot90(across, 2),
                8: np.rot90(rgb),
            }
            for orientation, turned in upright.items():
                assert pdq.from_samples(sample(rgb, orientation)) == oracle(turned)


@pytest.mark.parametrize("window", [(0, 0, 300, 200), (33, 10, 600, 400), (100, 50, 164, 350)])
def test_a_window_is_the_picture_of_that_part(window: tuple[int, int, int, int]) -> None:
    """A view hashes as pdqhash hashes its copy."""
    left, top, right, bottom = window
    part = pixels("coffee.png")[top:bottom, left:right]
    assert pdq.by_matrix(part) == oracle(part)


def test_luma_will_do() -> None:
    """Floats of luma have the hash of their picture, 8-bit gray that of the gray picture."""
    rgb = pixels("astronaut.png")
    assert pdq.by_matrix(luma(rgb)) == oracle(rgb)
    gray = rgb[:, :, 1]
    assert pdq.by_matrix(gray) == oracle(np.stack([gray] * 3, axis=2))


def test_luma_is_rounded_once() -> None:
    """Thousandths divided in 32 bits are the luma of the definition, whatever the colours."""
    rgb = noise(5, 700, 700)
    true = (rgb * np.array(matrix.LUMA)).sum(axis=2)
    assert np.array_equal(luma(rgb), true.astype(np.float32))
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(luma(gray), luma(np.stack([gray] * 3, axis=2)))


def test_ties_of_a_large_picture_take_little_memory() -> None:
    """A chessboard of 12 megapixels, decided by rounding errors: hashed in slabs."""
    square = np.kron([[0, 1] * 4, [1, 0] * 4] * 4, np.full((350, 530), 255)).astype(np.uint8)
    tracemalloc.start()
    found = compute(square)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000
    assert found == oracle(np.stack([square] * 3, axis=2))


@pytest.mark.parametrize("width", [1, 5, 128, 129, 300, 1000, 4096])
@pytest.mark.parametrize("height", [1, 7, 8, 19])
def test_running_sums_compiled_or_not(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers whose sums are rounded at every step: the same bits of each, in the stated order."""
    rows = np.random.default_rng(width).random((height, width), np.float32) * 255
    size, ahead = smoothing.window(width)
    expected = np.empty_like(rows)
    for row, out in zip(rows, expected, strict=True):
        total = np.float32(0)
        for enters in range(width + ahead - 1):
            total += row[enters] if enters < width else np.float32(0)
            total -= row[enters - size] if enters >= size else np.float32(0)
            if enters >= ahead - 1:
                out[enters - ahead + 1] = total
    assert np.array_equal(running_sums(rows, size, ahead), expected)
    monkeypatch.setattr(definition, "_sums", None)
    assert np.array_equal(running_sums(rows, size, ahead), expected)


@pytest.mark.parametrize(
    ("width", "size", "ahead"),
    [(0, 1, 1), (-4, 1, 1), (3, 1, 1), (4, 5, 1), (4, 2, 0), (4, 2, 3), (1 << 62, 1, 1)],
)
def test_running_sums_stay_within_their_rows(width: int, size: int, ahead: int) -> None:
    """Sizes that would have them read or write elsewhere are refused."""
    rows = np.zeros(8, np.float32)
    with pytest.raises(ValueError, match="no such size"):
        sums(rows, rows.copy(), width, size, ahead)
    with pytest.raises(ValueError, match="no such size"):
        sums(rows, rows[:4].copy(), 4, 2, 1)


def test_approximations_do_not_guess() -> None:
    """A photograph at half its size is a few bits off; of a chessboard nothing is said."""
    rgb = pixels("astronaut.png", (1024, 1024))
    found = pdq.approximate(pixels("astronaut.png", (512, 512)), (1024, 1024))
    assert found is not None
    assert apart(found.hash, oracle(rgb).hash) <= 8
    assert pdq.approximate(pixels("chessboard_RGB.png", (512, 512)), (1024, 1024)) is None
    assert pdq.approximate(noise(1, 4, 200), (4, 200)) is None


def test_photographs_take_the_short_way() -> None:
    """The matrix form decides nearly all pictures; chessboards are ties, and it does not guess."""
    decided = [name for name in PICTURES if pdq.by_matrix(pixels(name))]
    assert len(decided) > 0.9 * len(PICTURES)
    assert not any(pdq.by_matrix(pixels(name, (500, 300))) for name in SYMMETRIC)


@pytest.mark.parametrize("size", [(300, 200), (1300, 1000), (100, 1500), (2100, 1700)])
def test_both_ways_agree_within_the_stated_errors(size: tuple[int, int]) -> None:
    """What decides between them is true: samples and coefficients differ by less than it says."""
    for name in PICTURES[::2]:
        rgb = pixels(name, size)
        exact, rounded = sample(rgb), sample_rounded(rgb)
        assert np.abs(exact - rounded).max() < matrix.SAMPLE_ERROR
        difference = matrix.TRANSFORM @ exact @ matrix.TRANSFORM.T - transform_rounded(rounded)
        assert np.abs(difference).max() < matrix.COEFFICIENT_ERROR


def test_photographs_are_there() -> None:
    """The pictures above are those that scikit-image brings, some thirty of them."""
    assert len(PICTURES) > 20
    assert Path(PHOTOGRAPHS / "astronaut.png").is_file()
