"""Our decoder of JPEGs: to the bit what Pillow decodes or not at all, and never out of bounds."""

import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.hashing import jpeg
from core.hashing.hash_photo import hash_photo
from core.hashing.jpeg import BLOCK, Luma, frequencies
from core.hashing.media.image import open_image
from core.hashing.media.picture import Picture
from core.hashing.pdq import Pdq, by_matrix, compute
from core.hashing.pdq.definition import luma
from core.settings import Settings
from tests.pictures import PHOTOGRAPHS

ROUNDS = int(os.environ.get("PROVE_FUZZ", "600"))

NAMES = ("astronaut.png", "coffee.png", "chelsea.png", "retina.jpg", "hubble_deep_field.jpg")


def photograph(name: str, size: tuple[int, int] | None = None) -> Image.Image:
    with Image.open(PHOTOGRAPHS / name) as image:
        rgb = image.convert("RGB")
    return rgb.resize(size) if size else rgb


def saved(image: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def decode(content: bytes, max_pixels: int) -> Picture:
    with open_image(content, max_pixels) as image:
        return image.decode()


def hash_pdq(content: bytes, settings: Settings) -> Pdq:
    return hash_photo(content, settings).pdq


def pillows(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return luma(np.asarray(image))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quality", [20, 75, 92, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_luma_is_pillows(name: str, quality: int, subsampling: str) -> None:
    """Photographs in each sampling of their chroma: every bit of every float."""
    content = saved(photograph(name), quality=quality, subsampling=subsampling)
    assert np.array_equal(Luma(content)[:], pillows(content))


@pytest.mark.parametrize(
    "size", [(5, 5), (8, 8), (16, 16), (17, 15), (31, 33), (640, 1), (641, 479), (100, 1600)]
)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("restarts", [{}, {"restart_marker_blocks": 5}, {"restart_marker_rows": 2}])
def test_luma_at_every_edge(
    size: tuple[int, int], subsampling: str, restarts: dict[str, int]
) -> None:
    """Sizes that no block fits, and files that start anew after some blocks."""
    image = photograph("coffee.png", size)
    content = saved(image, subsampling=subsampling, optimize=True, **restarts)
    assert np.array_equal(Luma(content)[:], pillows(content))
    gray = saved(image.convert("L"), **restarts)
    assert np.array_equal(Luma(gray)[:], pillows(gray))


def test_rows_come_in_order() -> None:
    """Slices may overlap, and may leave rows out; each is the same part of the picture."""
    content = saved(photograph("astronaut.png"))
    whole, rows = pillows(content), Luma(content)
    for top, bottom in [(3, 40), (20, 90), (200, 201), (200, 333), (330, 512)]:
        assert np.array_equal(rows[top:bottom], whole[top:bottom])


@pytest.mark.parametrize("keep", range(1, BLOCK + 1))
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_frequencies_are_those_of_the_pixels(keep: int, subsampling: str) -> None:
    """The cosine transform of decoded blocks, but for what decoding rounds and clips."""
    image = photograph("astronaut.png", (264, 216)).point(lambda level: 64 + level // 2)
    content = saved(image, quality=95, subsampling=subsampling)
    blocks = (pillows(content) - 128).reshape(27, 8, 33, 8)
    places = np.arange(8) + 0.5
    cosines = np.cos(np.pi / 8 * np.outer(np.arange(keep), places)) / 8
    cosines[1:] *= np.sqrt(2)
    expected = np.einsum("ui,hiwj,vj->huwv", cosines, blocks, cosines)
    found = frequencies(content, keep)
    assert found.shape == (27 * keep, 33 * keep)
    assert np.abs(found.reshape(expected.shape) - expected).max() < 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_hashes_are_upright(orientation: int) -> None:
    """As EXIF has it: the PDQ is that of the decoded picture, turned."""
    exif = Image.Exif()
    exif[0x112] = orientation
    content = saved(photograph("chelsea.png"), exif=exif)
    settings = Settings(max_pixels=1 << 22)
    assert hash_pdq(content, settings) == compute(decode(content, 1 << 22))
    fast = hash_pdq(content, settings.model_copy(update={"pdq_mode": "fast"}))
    exact = hash_pdq(content, settings)
    assert (int(fast.hash, 16) ^ int(exact.hash, 16)).bit_count() <= 8


@pytest.mark.parametrize("size", [(300, 200), (1000, 700), (2200, 1700)])
def test_hashes_are_those_of_pixels(size: tuple[int, int]) -> None:
    """By the matrix form of luma and of RGB alike, wherever rounding errors do not decide."""
    told = 0
    for name in NAMES:
        content = saved(photograph(name, size), quality=88)
        found = by_matrix(Luma(content))
        assert found is None or found == compute(decode(content, 1 << 23))
        told += found is not None
    assert told >= len(NAMES) - 1


@pytest.mark.parametrize("orientation", [1, 6])
def test_ties_are_decided_as_by_pixels(orientation: int) -> None:
    """A chessboard, whose bits are rounding errors alone: those of the decoded picture."""
    exif = Image.Exif()
    exif[0x112] = orientation
    content = saved(photograph("chessboard_GRAY.png", (1000, 700)), exif=exif)
    assert by_matrix(Luma(content)) is None
    assert hash_pdq(content, Settings()) == compute(decode(content, 1 << 20))


REFUSED: dict[str, dict[str, Any]] = {
    "progressive": {"progressive": True},
    "RGB that is not transformed": {"keep_rgb": True},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_rare_kinds_are_left_to_pillow(kind: str) -> None:
    """They are refused before anything is decoded, and hashed all the same."""
    content = saved(photograph("coffee.png"), **REFUSED[kind])
    with pytest.raises(NotImplementedError):
        Luma(content)
    assert hash_pdq(content, Settings()) == compute(decode(content, 1 << 20))


def test_cmyk_is_left_to_pillow() -> None:
    """Its four components are none of ours."""
    content = saved(photograph("coffee.png").convert("CMYK"))
    with pytest.raises(NotImplementedError):
        Luma(content)
    assert hash_pdq(content, Settings()) == compute(decode(content, 1 << 20))


def test_what_was_not_compiled_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there was no compiler, a JPEG is hashed to the same bits."""
    content = saved(photograph("coffee.png"))
    expected = hash_pdq(content, Settings())
    monkeypatch.setattr(jpeg, "_decoder", None)
    with pytest.raises(NotImplementedError):
        Luma(content)
    assert hash_pdq(content, Settings()) == expected


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_what_is_cut_off_is_refused(share: float) -> None:
    """Wherever a file ends too soon, no rows are made up for what is missing."""
    content = saved(photograph("coffee.png"))
    with pytest.raises(NotImplementedError):
        Luma(content[: int(share * len(content))])[:]


def test_one_thread_at_a_time() -> None:
    """A second one is told so, and the first goes on undisturbed."""
    content = saved(photograph("retina.jpg", (4000, 3000)))
    file = jpeg._open(content)
    rows = np.empty((3000, 4000), np.float32)
    first = threading.Thread(target=file.rows, args=(rows,))
    first.start()
    refusals = 0
    while first.is_alive():
        try:
            file.rows(rows[:0])
        except ValueError:
            refusals += 1
    first.join()
    assert refusals > 0
    assert np.array_equal(rows, pillows(content))


def test_room_must_fit() -> None:
    """What would not be filled, or would overflow, is refused; and no file is read twice."""
    content = saved(photograph("coffee.png"))
    with pytest.raises(ValueError, match="no such size"):
        jpeg._open(content).rows(np.empty(599, np.float32))
    for keep, room in (1, 10), (0, 1), (9, 1 << 20):
        with pytest.raises(ValueError, match="no such size"):
            jpeg._open(content).cosines(np.empty(room, np.float32), keep)
    file = jpeg._open(content)
    down, across = file.blocks
    file.cosines(np.empty((down, across), np.float32), 1)
    with pytest.raises(NotImplementedError, match="has been read"):
        file.rows(np.empty((1, 600), np.float32))
    file = jpeg._open(content)
    file.rows(np.empty((1, 600), np.float32))
    with pytest.raises(NotImplementedError, match="has been read"):
        file.cosines(np.empty((down, across), np.float32), 1)


def test_damaged_files() -> None:
    """What our decoder takes, Pillow decodes to the same; the rest it refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.hashing.damaged_jpegs", str(10 * ROUNDS)],
        stdout=subprocess.PIPE,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert set(seen) == {"decoded", "refused"}
    assert seen["decoded"] > ROUNDS


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc's sanitizers are needed")
def test_nothing_out_of_bounds(tmp_path: Path) -> None:
    """The same, built so that the first wrong address or overflow ends the process."""
    built = tmp_path / "_decoder.so"
    subprocess.run(
        [
            *("gcc", "-O1", "-g", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Wno-psabi"),
            *("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"),
            *(
                "-I",
                sysconfig.get_paths()["include"],
                "core/hashing/jpeg/decoder.c",
                "-o",
                str(built),
            ),
        ],
        check=True,
    )
    libraries = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], stdout=subprocess.PIPE, check=True, text=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.hashing.damaged_jpegs", str(ROUNDS), str(built)],
        env=os.environ | {"LD_PRELOAD": ":".join(libraries), "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"decoded", "refused"}


def test_a_blank_jpeg_says_little() -> None:
    """Its quality is nothing, as it is of its pixels."""
    content = saved(Image.new("RGB", (300, 200), "white"))
    assert hash_pdq(content, Settings()).quality == 0
    assert isinstance(hash_pdq(content, Settings()), Pdq)
