"""Variants of a query are what the picture was before it was altered, to within a few bits."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.hashing import pdq
from core.hashing.pdq.matrix import Pixels
from core.hashing.variants.orientation import orient_hash
from core.hashing.variants.photo import CROPS, EDGES, hash_crops, hash_variants
from core.hashing.variants.reduced_picture import ReducedPicture
from core.settings.variant import KINDS
from tests.bench import alterations
from tests.pictures import photograph

SIZES = ((512, 512), (300, 220), (1500, 1100))
LARGEST = 12


def picture(name: str = "astronaut.png", size: tuple[int, int] = (600, 450)) -> Image.Image:
    with Image.open(io.BytesIO(photograph(name))) as image:
        return image.convert("RGB").resize(size)


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image)


def signal(image: Image.Image) -> str:
    return pdq.compute(pixels(image)).hash


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def nearest(copy: Image.Image, original: Image.Image, *kinds: str) -> int:
    found = hash_variants(ReducedPicture.from_pixels(pixels(copy)), kinds)
    return min((distance(one.hash, signal(original)) for one in found), default=256)


def on_a_page(image: Image.Image) -> Image.Image:
    """Beside other pictures and words, below a bar, on a page with a scroll bar."""
    page = Image.new("RGB", (1280, 960), (245, 245, 240))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 1280, 60), fill=(70, 80, 120))
    draw.rectangle((1260, 60, 1280, 960), fill=(200, 200, 200))
    draw.text((90, 75), "What was seen there", fill="black", font=ImageFont.load_default(36))
    page.paste(image, (90, 140))
    for top in (140, 330):
        page.paste(picture("coffee.png", (180, 120)), (800, top))
        draw.text(
            (800, top + 130), "Another of them", fill="black", font=ImageFont.load_default(16)
        )
    draw.text((90, 140 + image.height + 12), "below it", fill="black")
    return page


def in_a_window(image: Image.Image) -> Image.Image:
    """Between a title and a line of status, on a desktop."""
    screen = Image.new("RGB", (1000, 800), (20, 90, 140))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((149, 70, 150 + image.width, 120 + image.height), fill=(235, 235, 235))
    draw.text((160, 78), "astronaut.png", fill="black", font=ImageFont.load_default(16))
    screen.paste(image, (150, 100))
    draw.text((160, 102 + image.height), "1 of 7", fill="black")
    return screen


def disk(seed: int) -> Image.Image:
    """A part of a large bright disk on black, with faint marks."""
    rng = np.random.default_rng(seed)
    marks = Image.fromarray(rng.normal(0, 4, (12, 12)).astype(np.float32)).resize((282, 282))
    y, x = np.mgrid[:282, :282]
    radius = rng.uniform(200, 600)
    inside = np.hypot(x - 141, y - 141 - radius + rng.uniform(30, 120)) < radius
    grain = rng.normal(0, 2, (282, 282))
    levels = np.where(inside, rng.uniform(90, 200) + np.asarray(marks), 4) + grain
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "undo"),
    [
        ("mirror", Image.Transpose.FLIP_LEFT_RIGHT),
        ("flip", Image.Transpose.FLIP_TOP_BOTTOM),
        ("turn180", Image.Transpose.ROTATE_180),
        ("turn90", Image.Transpose.ROTATE_90),
        ("turn270", Image.Transpose.ROTATE_270),
        ("transpose", Image.Transpose.TRANSPOSE),
        ("transverse", Image.Transpose.TRANSVERSE),
    ],
)
def test_orientation(name: str, undo: Image.Transpose, size: tuple[int, int]) -> None:
    """Each is named after what makes the query match, and is the hash of just that picture."""
    copy = picture(size=size)
    found = {
        one.name: one.hash
        for one in hash_variants(ReducedPicture.from_pixels(pixels(copy)), ["orientation"])
    }
    assert distance(found[name], signal(copy.transpose(undo))) <= 6


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("margin", alterations.bordered("white", 0.05, 0.05)),
        ("margin", alterations.bordered("black", 0, 0.2)),
        ("margin", alterations.captioned(over=False, top=True)),
        ("margin", alterations.screenshot),
        ("margin", alterations.inset(0.6)),
        ("margin", alterations.blurred_sides),
        ("margin", on_a_page),
        ("margin", in_a_window),
        ("rotation", alterations.turned(2)),
        ("rotation", alterations.turned(-17)),
        ("rotation", alterations.turned(38)),
        ("rotation", alterations.turned(3, whole=False)),
    ],
)
def test_undone(kind: str, change: Callable[[Image.Image], Image.Image]) -> None:
    """Its kind of variant finds a picture that its hash alone does not."""
    original = picture()
    copy = change(original)
    assert distance(signal(copy), signal(original)) > 31
    assert nearest(copy, original, kind) <= LARGEST


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("margin", alterations.screenshot),
        ("margin", alterations.bordered("red", 0.1, 0.2)),
        ("rotation", alterations.turned(-4)),
        ("rotation", alterations.turned(23)),
    ],
)
def test_undone_in_a_mirror(kind: str, change: Callable[[Image.Image], Image.Image]) -> None:
    """Who mirrors a picture and frames it is found by who asks for both, and is told so."""
    original = picture()
    copy = change(original.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert min(nearest(copy, original, kind), nearest(copy, original, "orientation")) > 31
    assert nearest(copy, original, kind, "orientation") <= LARGEST
    found = hash_variants(ReducedPicture.from_pixels(pixels(copy)), KINDS)
    best = min(found, key=lambda one: distance(one.hash, signal(original)))
    assert (best.kind, best.name) == (kind, f"{kind}, mirror")


def test_contrast() -> None:
    """A picture too dark to have a hash has the original's once its contrast is restored."""
    original = picture("coffee.png")
    dark = Image.fromarray((pixels(original) * 0.12).astype(np.uint8))
    assert pdq.compute(pixels(dark)).quality < 50
    assert nearest(dark, original, "contrast") <= LARGEST


def test_crops() -> None:
    """Each crop of a banked picture is as if it had been cut out and hashed."""
    original = picture("coffee.png", (1200, 800))
    kept = hash_crops(ReducedPicture.from_pixels(pixels(original)))
    for crop in CROPS:
        copy = alterations.cropped(*crop)(original)
        assert min(distance(signal(copy), one) for one in kept) <= 8


def test_no_crops_of_one_edge() -> None:
    """Where there is nothing but the edge of one shape, crops of different pictures are alike."""
    for seed in range(8):
        reduced = ReducedPicture.from_pixels(pixels(disk(seed)))
        assert hash_crops(reduced) == []
        assert hash_variants(reduced, ["edge"]) == []
    reduced = ReducedPicture.from_pixels(pixels(picture()))
    assert len(hash_crops(reduced)) > 30
    assert len(hash_variants(reduced, ["edge"])) == len(EDGES)


def test_edges_are_cut_from_both() -> None:
    """A banked picture has the crop that a query with something over its edge is cut to."""
    assert set(EDGES) <= set(CROPS)
    original = picture()
    copy = original.copy()
    copy.paste((200, 30, 30), (460, 340, 600, 450))
    kept = hash_crops(ReducedPicture.from_pixels(pixels(original)))
    found = hash_variants(ReducedPicture.from_pixels(pixels(copy)), ["edge"])
    assert min(distance(one.hash, other) for one in found for other in kept) <= LARGEST


def test_nothing_from_nothing() -> None:
    """Pictures of one colour, smooth ones and tiny ones have no variants and no crops."""
    slope = np.linspace(90, 110, 300).astype(np.uint8)
    smooth = np.broadcast_to(slope[:, None], (200, 300, 1))
    for shape in ((200, 300, 3), (4, 300, 3), (5, 5, 3)):
        reduced = ReducedPicture.from_pixels(np.full(shape, 130, np.uint8))
        assert hash_variants(reduced, KINDS) == []
        assert hash_crops(reduced) == []
    assert hash_crops(ReducedPicture.from_pixels(np.repeat(smooth, 3, axis=2))) == []


@pytest.mark.parametrize("size", [(5, 400), (900, 7), (3000, 60), (64, 64), (513, 511), (2047, 9)])
def test_any_shape(size: tuple[int, int]) -> None:
    """Long, thin, tiny and odd sizes are hashed like others."""
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    reduced = ReducedPicture.from_pixels(noise)
    assert hash_variants(reduced, KINDS)
    hash_crops(reduced)


def test_turned_bits() -> None:
    """From the bits of a hash alone follow those of its orientations: transposed, exactly."""
    original = picture(size=(1200, 900))
    known = {one.name: one.hash for one in orient_hash(signal(original))}
    assert len(known) == 7
    assert known["transpose"] == signal(original.transpose(Image.Transpose.TRANSPOSE))
    for one in hash_variants(ReducedPicture.from_pixels(pixels(original)), ["orientation"]):
        if one.name != "upright":
            assert distance(one.hash, known[one.name]) <= 24
