"""One photograph is opened once for all of its hashes, and what is left over of it is itself."""

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.hashing import jpeg, pdq
from core.hashing.hash_photo import hash_photo
from core.hashing.variants.reducing import ReducingRows
from core.settings import Settings
from core.settings.variant import KINDS
from core.signal_types.enabled import SignalTypes
from core.signal_types.hash_content import hash_content
from tests.pictures import PHOTOGRAPHS


def photograph(size: tuple[int, int]) -> Image.Image:
    with Image.open(PHOTOGRAPHS / "astronaut.png") as image:
        return image.convert("RGB").resize(size)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def animated(form: str) -> bytes:
    first = photograph((700, 600))
    others = [first.rotate(degrees) for degrees in (90, 180)]
    return saved(first, form, save_all=True, append_images=others)


class CountedFile(io.BytesIO):
    """A file that knows how many bytes were read from it."""

    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.bytes_read += len(content)
        return content


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often Pillow, our decoder and a path have been opened."""
    counts: Counter[str] = Counter()

    def count(owner: Any, name: str, what: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **options: Any) -> Any:
            counts[what] += 1
            return original(*args, **options)

        monkeypatch.setattr(owner, name, counted)

    count(Image, "open", "Pillow")
    count(jpeg._decoder, "Jpeg", "decoder")
    count(Path, "open", "path")
    return counts


FILES: dict[str, tuple[Callable[[], bytes], int]] = {
    "JPEG": (lambda: saved(photograph((1300, 1100)), "JPEG", quality=90), 1),
    "progressive JPEG": (lambda: saved(photograph((1300, 1100)), "JPEG", progressive=True), 0),
    "PNG": (lambda: saved(photograph((700, 600)), "PNG"), 0),
    "animated GIF": (lambda: animated("GIF"), 0),
    "animated WebP": (lambda: animated("WEBP"), 0),
}


@pytest.mark.parametrize("mode", ["exact", "fast"])
@pytest.mark.parametrize("kind", FILES)
def test_a_photo_is_opened_once(
    kind: str, mode: str, openings: Counter[str], tmp_path: Path
) -> None:
    """For its hash, every kind of variant and its crops: by Pillow, our decoder, and from disk.

    As a photograph, and as an upload of which all signals are asked for.
    """
    make, decodings = FILES[kind]
    content = make()
    path = tmp_path / "photo"
    path.write_bytes(content)
    settings = Settings.model_validate({"pdq_mode": mode})
    openings.clear()
    hashes = hash_photo(path, settings, KINDS, crops=True)
    assert openings == {"Pillow": 1, "path": 1} | ({"decoder": 1} if decodings else {})
    assert {variant.kind for variant in hashes.variants} >= {"orientation", "rotation", "edge"}
    assert ("frame" in {variant.kind for variant in hashes.variants}) == ("animated" in kind)
    assert hashes.crops
    file = CountedFile(content)
    assert hash_photo(file, settings, KINDS, crops=True) == hashes
    openings.clear()
    types = SignalTypes.from_settings(settings)
    hashed = hash_content(types, settings, "photo", path, kinds=KINDS, crops=True)
    assert openings == {"Pillow": 1, "path": 1} | ({"decoder": 1} if decodings else {})
    assert (hashed.signals["pdq"], hashed.variants) == (hashes.pdq.hash, hashes.variants)
    # Pillow passes over the data of a GIF's frame again to reach the next.
    assert file.bytes_read < (2.2 if "GIF" in kind else 1.1) * len(content)


@pytest.mark.parametrize("kind", FILES)
def test_asking_for_more_changes_no_hash(kind: str) -> None:
    """The PDQ is the same with and without variants, in both modes; so is each kind by itself."""
    content = FILES[kind][0]()
    for mode in "exact", "fast":
        settings = Settings.model_validate({"pdq_mode": mode})
        alone, everything = (
            hash_photo(content, settings),
            hash_photo(content, settings, KINDS, crops=True),
        )
        assert alone.pdq == everything.pdq
        assert not alone.variants
        assert not alone.crops
        frames = hash_photo(content, settings, ["frame"]).variants
        assert list(frames) == [each for each in everything.variants if each.kind == "frame"]


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["exact", "fast"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_orientations_of_a_large_photo_are_nearly_exact(
    form: str, mode: str, orientation: int
) -> None:
    """Of what is reduced on the way, they are within 4 bits of the whole picture's, turned."""
    shown = photograph((2048, 1536))
    turns = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    turn = turns[orientation]
    exif = Image.Exif()
    exif[0x112] = orientation
    held = shown if turn is None else shown.transpose(turn)
    content = saved(held, form, exif=exif, **({"quality": 95} if form == "JPEG" else {}))
    settings = Settings.model_validate({"pdq_mode": mode})
    variants = {v.name: v.hash for v in hash_photo(content, settings, ["orientation"]).variants}
    for name, undo in (
        ("mirror", Image.Transpose.FLIP_LEFT_RIGHT),
        (
            "turn90",
            Image.Transpose.ROTATE_90,
        ),
    ):
        exact = pdq.compute(np.asarray(shown.transpose(undo))).hash
        assert (int(variants[name], 16) ^ int(exact, 16)).bit_count() <= 4


@pytest.mark.parametrize("shape", [(5, 7), (512, 600), (1024, 1024), (1030, 1601), (2000, 1543)])
def test_what_passes_is_reduced(shape: tuple[int, int]) -> None:
    """Rows in slices that overlap and leave gaps: the mean of each square, and rows unchanged."""
    rows = np.random.default_rng(3).integers(0, 256, shape).astype(np.float32)
    reducing, height = ReducingRows(rows), shape[0]
    for top, bottom in (0, height // 7), (height // 9, height // 3), (height // 2, height - 1):
        assert np.array_equal(reducing[top:bottom], rows[top:bottom])
    factor = max(1, min(shape) // 512)
    expected = [
        [rows[y : y + factor, x : x + factor].mean() for x in range(0, shape[1], factor)]
        for y in range(0, height, factor)
    ]
    assert np.abs(reducing.levels() - expected).max() <= 0.51


@pytest.mark.parametrize("pixels", [1, 2, 4, 8])
def test_a_jpeg_s_frequencies_are_its_means(pixels: int) -> None:
    """In place of each block so many pixels, about as bright as the squares that they stand for."""
    content = saved(photograph((500, 333)), "JPEG", quality=95)
    reduced = jpeg.reduce(jpeg.frequencies(content, pixels), pixels, (333, 500))
    side = 8 // pixels
    whole = jpeg.Luma(content)[: 333 // side * side][:, : 500 // side * side]
    means = whole.reshape(333 // side, side, 500 // side, side).mean(axis=(1, 3))
    assert reduced.shape == (-(-333 // side), -(-500 // side))
    difference = reduced[: means.shape[0], : means.shape[1]] - means
    assert np.sqrt((difference**2).mean()) < 4
