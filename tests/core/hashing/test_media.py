"""Images of every kind become the pixels people see; damaged ones are refused with a reason."""

import errno
import io
import random
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes

from core.errors import BadInput, TooLarge, Unavailable
from core.hashing import pdq
from core.hashing.media.image import open_image
from core.hashing.media.limits import FORMATS, FRAMES
from core.hashing.media.media_source import MediaSource
from core.hashing.media.picture import Picture
from tests.pictures import PHOTOGRAPHS, photograph, truncated

LIMIT = 100_000_000


@pytest.fixture(scope="module")
def rgb() -> Image.Image:
    with Image.open(PHOTOGRAPHS / "chelsea.png") as image:
        return image.convert("RGB")


def picture(source: MediaSource, max_pixels: int, least: int | None = None) -> Picture:
    with open_image(source, max_pixels) as image:
        return image.decode(least)


def frames(source: MediaSource, max_pixels: int) -> Iterator[Picture]:
    with open_image(source, max_pixels) as image:
        yield from image.frames()


def decode(source: MediaSource, max_pixels: int) -> np.ndarray[Any, Any]:
    """All pixels of an image, height x width x 3."""
    rows = picture(source, max_pixels)[:]
    return rows if rows.ndim == 3 else np.stack([rows] * 3, axis=2)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def distance(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> int:
    """Bits between the PDQ hashes of two decoded images."""
    first, second = (int(pdq.compute(pixels).hash, 16) for pixels in (one, other))
    return (first ^ second).bit_count()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A gray PNG of that size, by its header, and whatever else."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM"])
def test_rgb_hashes_as_it_does_in_threatexchange(rgb: Image.Image, form: str) -> None:
    """Where threatexchange reads colours as they are, so do we, and every bit is the same."""
    content = saved(rgb, form)
    found = pdq.compute(decode(content, LIMIT))
    assert (found.hash, found.quality) == pdq_from_bytes(content)


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        *(("L", form) for form in ("PNG", "JPEG", "GIF", "WEBP", "TIFF")),
        *(("RGBA", form) for form in ("PNG", "WEBP", "TIFF")),
        *(("LA", form) for form in ("PNG", "TIFF")),
    ],
)
def test_gray_and_alpha_hash_as_they_do_in_threatexchange(
    rgb: Image.Image, mode: str, form: str
) -> None:
    """Gray is gray, and transparency is ignored, even of an image that shows nothing at all."""
    image = rgb.convert(mode)
    if mode.endswith("A"):
        image.putalpha(0)
    options = {"exact": True, "lossless": True} if form == "WEBP" else {}
    content = saved(image, form, **options)
    found = pdq.compute(decode(content, LIMIT))
    assert (found.hash, found.quality) == pdq_from_bytes(content)


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("transparency", [None, 3])
def test_palettes_are_colours(rgb: Image.Image, form: str, transparency: int | None) -> None:
    """A palette image is its colours, transparent or not; threatexchange hashes its indices."""
    image = rgb.quantize(256)
    options = {} if transparency is None else {"transparency": transparency}
    decoded = decode(saved(image, form, **options), LIMIT)
    assert np.array_equal(decoded, np.asarray(image.convert("RGB")))
    assert distance(decoded, np.asarray(rgb)) <= 10


def test_a_palette_with_transparency_in_bytes_is_colours(rgb: Image.Image) -> None:
    """A PNG whose palette has an opacity for each colour, of which Pillow would warn."""
    image = rgb.quantize(256)
    content = saved(image, "PNG", transparency=bytes(range(256)))
    assert np.array_equal(decode(content, LIMIT), np.asarray(image.convert("RGB")))


def test_black_and_white(rgb: Image.Image) -> None:
    """One bit a pixel is black or white."""
    image = rgb.convert("1")
    decoded = decode(saved(image, "PNG"), LIMIT)
    assert np.array_equal(decoded, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_is_found_by_its_rgb(rgb: Image.Image, form: str) -> None:
    """A picture for print matches the one for screens; threatexchange has 254 of 256 bits off."""
    assert distance(decode(saved(rgb.convert("CMYK"), form), LIMIT), np.asarray(rgb)) <= 10


def test_ycbcr_is_found_by_its_rgb(rgb: Image.Image) -> None:
    """A TIFF that keeps luma and colour apart."""
    content = saved(rgb.convert("YCbCr"), "TIFF")
    assert distance(decode(content, LIMIT), np.asarray(rgb)) <= 4


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_are_brought_to_8(rgb: Image.Image, form: str) -> None:
    """Shades of 16 bits keep their order; Pillow alone would make nearly all of them white."""
    gray = np.asarray(rgb.convert("L"))
    image = Image.fromarray(gray.astype(np.uint16) * 257)
    assert image.mode == "I;16"
    decoded = decode(saved(image, form), LIMIT)
    assert np.array_equal(decoded, np.stack([gray] * 3, axis=2))


@pytest.mark.parametrize(
    ("number", "scale", "offset"),
    [(np.int32, 1000, -70_000), (np.float32, 1 / 255, 0.0), (np.float32, 1e30, -5e31)],
)
def test_numbers_of_any_range_are_found_by_8_bits(
    rgb: Image.Image, number: type[np.number[Any]], scale: float, offset: float
) -> None:
    """TIFFs of 32-bit integers or floats match their copies in 8 bits, whatever their range."""
    gray = np.asarray(rgb.convert("L"))
    image = Image.fromarray((gray.astype(float) * scale + offset).astype(number))
    decoded = decode(saved(image, "TIFF"), LIMIT)
    assert distance(decoded, np.stack([gray] * 3, axis=2)) <= 4


def test_numbers_that_are_none_do_no_harm() -> None:
    """Infinities and NaN count as 0; a constant image is black."""
    values = np.full((20, 30), np.nan, np.float32)
    values[:10] = np.inf
    assert not decode(saved(Image.fromarray(values), "TIFF"), LIMIT).any()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_upright(rgb: Image.Image, form: str, orientation: int) -> None:
    """Each EXIF orientation gives the hash of the picture as it is shown."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    held = rgb.transpose(undo[orientation]) if orientation > 1 else rgb
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(saved(held, form, exif=exif), LIMIT)
    assert decoded.shape == (rgb.height, rgb.width, 3)
    assert distance(decoded, np.asarray(rgb)) <= 12


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_any_rows_are_those_of_the_whole(rgb: Image.Image, form: str, orientation: int) -> None:
    """A few rows at a time, the picture is what it is at once, however it was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(rgb, form, exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    found = picture(content, LIMIT)
    assert found.shape == expected.shape
    assert np.array_equal(found[:], expected)
    for top, bottom in (0, 1), (17, 90), (250, found.shape[0]), (280, 9999):
        assert np.array_equal(found[top:bottom], expected[top:bottom])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpegs_are_reduced_to_what_is_needed(rgb: Image.Image, orientation: int) -> None:
    """In gray and at a fraction of the size, upright, and still nearly the same hash."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(rgb.resize((2400, 1600)), "JPEG", exif=exif)
    small = picture(content, LIMIT, 400)
    assert small.reduced
    assert sorted(small.shape) == [400, 600]
    assert distance(small[:], decode(content, LIMIT)) <= 8
    for least, shape in (1600, [1600, 2400]), (1000, [1600, 2400]), (800, [800, 1200]):
        assert sorted(picture(content, LIMIT, least).shape) == shape


def test_only_jpegs_are_reduced(rgb: Image.Image) -> None:
    """What cannot be decoded at a fraction of its size is decoded as ever."""
    for form in "PNG", "WEBP", "GIF", "TIFF":
        content = saved(rgb, form)
        found = picture(content, LIMIT, 50)
        assert not found.reduced
        assert np.array_equal(found[:], picture(content, LIMIT)[:])


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "CMYK", "I;16"])
def test_luma_is_small_and_upright(rgb: Image.Image, mode: str) -> None:
    """Of every mode, in gray, by whole factors, as the picture is seen."""
    image = rgb.convert("L").convert(mode) if mode == "I;16" else rgb.convert(mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    form = "JPEG" if mode == "CMYK" else "PNG"
    found = picture(saved(image.transpose(Image.Transpose.ROTATE_90), form, exif=exif), LIMIT)
    luma = found.luma(100)
    assert luma.shape == (100, 151)  # a third of 300 x 451
    assert distance(luma, np.asarray(rgb)) <= 31


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientations_are_upright(rgb: Image.Image, orientation: int) -> None:
    """A number that means nothing turns nothing."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(rgb, "PNG", exif=exif)
    assert np.array_equal(decode(content, LIMIT), np.asarray(rgb))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\x7f"]
)
def test_broken_exif_does_not_hide_the_picture(rgb: Image.Image, exif: bytes) -> None:
    """A picture with damaged metadata is still that picture."""
    content = saved(rgb, "PNG", exif=exif)
    assert np.array_equal(decode(content, LIMIT), np.asarray(rgb))


def test_the_first_frame_counts(rgb: Image.Image) -> None:
    """Of an animation and of a document with pages."""
    other = Image.new("RGB", rgb.size, "red")
    for form in "GIF", "WEBP", "TIFF", "PNG", "AVIF", "MPO":
        one = saved(rgb, form)
        several = saved(rgb, form, save_all=True, append_images=[other])
        assert distance(decode(several, LIMIT), decode(one, LIMIT)) <= 4


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_other_frames_are_there_when_asked_for(rgb: Image.Image, form: str) -> None:
    """Each but the first, in their order; none of a still picture."""
    turned = [rgb.rotate(degrees) for degrees in (90, 180, 270)]
    content = saved(rgb, form, save_all=True, append_images=turned)
    found = [one[:] for one in frames(content, LIMIT)]
    assert all(distance(one, np.asarray(two)) <= 10 for one, two in zip(found, turned, strict=True))
    assert list(frames(saved(rgb, form), LIMIT)) == []


def test_frames_have_limits(rgb: Image.Image) -> None:
    """So many, of so many pixels together, and none after one that is damaged."""
    small = [rgb.resize((8, 8)).rotate(90 * (number % 4)) for number in range(2 * FRAMES)]
    many = saved(small[0], "GIF", save_all=True, append_images=small[1:])
    assert sum(1 for _ in frames(many, LIMIT)) == FRAMES - 1
    assert sum(1 for _ in frames(many, 64 * 10)) == 10
    assert sum(1 for _ in frames(many, 64 * 4 - 1)) == 0
    pages = saved(rgb, "TIFF", save_all=True, append_images=[rgb, rgb, rgb], compression="jpeg")
    assert 0 < sum(1 for _ in frames(pages[: len(pages) * 3 // 4], LIMIT)) < 3


def test_bytes_paths_and_files_are_the_same(tmp_path: Path) -> None:
    """A file's content, its path, and the file when it is open, wherever it was read to."""
    content = photograph("rocket.jpg")
    path = tmp_path / "no-suffix"
    path.write_bytes(content)
    expected = decode(content, LIMIT)
    assert np.array_equal(decode(path, LIMIT), expected)
    with path.open("rb") as file:
        file.seek(1000)
        assert np.array_equal(decode(file, LIMIT), expected)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an image in any of JPEG, PNG,"),
        (b"just some text", "not an image in any of "),
        (bytes(1000), "not an image in any of "),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "not an image in any"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image in any of "),
        (truncated(), "the image cannot be decoded: image file is truncated"),
        (photograph("rocket.jpg")[:20], "not an image in any of "),
        (photograph("coffee.png")[:5000], "the image cannot be decoded: "),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not an image in any of "),
        (png(10, 10), "the image cannot be decoded: "),
        (png(10, 10, chunk(b"IDAT", b"not deflated")), "the image cannot be decoded: "),
        (png(0, 10), "not an image in any of "),
    ],
)
def test_what_is_no_whole_image_is_refused(content: bytes, reason: str) -> None:
    """Empty, text, a program, cut short, or of no size: bad input that says what was wrong."""
    with pytest.raises(BadInput) as caught:
        decode(content, LIMIT)
    assert caught.value.message.startswith(reason)


def test_an_iphone_s_pictures_are_decoded(rgb: Image.Image) -> None:
    """HEIC, in colour, gray, with opacity and turned, hashes as what it shows."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
    pillow_heif.register_heif_opener()
    for mode in "RGB", "L", "RGBA":
        content = saved(rgb.convert(mode), "HEIF", quality=90)
        expected = np.asarray(rgb.convert("L") if mode == "L" else rgb)
        assert distance(decode(content, LIMIT), expected) <= 10
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = rgb.transpose(Image.Transpose.ROTATE_90)
    held = saved(turned, "HEIF", quality=90, exif=exif.tobytes())
    assert b"irot" in held  # which is what turns it; EXIF is not asked, as the standard says
    assert distance(decode(held, LIMIT), np.asarray(rgb)) <= 10


@pytest.mark.parametrize(
    ("form", "times", "options"),
    [
        *(("PNG", 1, {}), ("JPEG", 1, {}), ("TIFF", 2, {}), ("AVIF", 2.5, {}), ("WEBP", 4, {})),
        *(("JPEG2000", 5, {}), ("QOI", 32, {}), ("JPEG", 2.5, {"progressive": True})),
    ],
)
def test_formats_that_cost_more_have_fewer_pixels(
    rgb: Image.Image, form: str, times: float, options: dict[str, Any]
) -> None:
    """By as much as they take in memory or in time."""
    content = saved(rgb, form, **options)
    most = int(rgb.width * rgb.height * times)
    assert decode(content, most).shape == (rgb.height, rgb.width, 3)
    with pytest.raises(TooLarge, match="pixels"):
        decode(content, most - int(times) - 1)


def test_a_jpeg_of_a_thousand_scans_is_refused(rgb: Image.Image, tmp_path: Path) -> None:
    """A bomb of time: each scan of a few bytes costs as much as a whole one."""
    content = saved(rgb, "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    bomb = content[:-2] + content[last:-2] * 1000 + content[-2:]
    path = tmp_path / "bomb"
    path.write_bytes(bomb)
    with path.open("rb") as file:
        for source in bomb, path, file:
            with pytest.raises(TooLarge, match="more than 64 scans"):
                decode(source, LIMIT)
    assert decode(content, LIMIT).shape == (rgb.height, rgb.width, 3)


def test_what_the_machine_fails_at_is_not_the_sender_s_mistake() -> None:
    """A disk that cannot be read is a reason to ask again; a file cut short is not."""

    class Disk(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(Unavailable, match=r"cannot be read: .*Input/output error"):
        decode(Disk(photograph()), LIMIT)


def test_a_path_without_a_file_is_bad_input(tmp_path: Path) -> None:
    """A missing file and a folder."""
    for path in tmp_path / "missing.png", tmp_path:
        with pytest.raises(BadInput, match="cannot be decoded"):
            decode(path, LIMIT)


@pytest.mark.parametrize("action", ["error", "ignore"])
@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("DIB", "PCX")])
def test_damage_is_never_another_exception(rgb: Image.Image, form: str, action: Any) -> None:
    """Any file of any format, cut or with bytes changed, decodes or is refused, and no more."""
    content = saved(rgb.resize((90, 60)), form)
    choose = random.Random(form)
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        for _ in range(60):
            damaged = bytearray(content[: choose.choice([len(content), choose.randrange(2000)])])
            for _ in range(choose.randrange(1, 8)):
                if damaged:
                    place = choose.randrange(min(len(damaged), choose.choice([40, 1 << 30])))
                    damaged[place] = choose.randrange(256)
            try:
                decoded = decode(bytes(damaged), 1_000_000)
            except (BadInput, TooLarge):
                continue
            assert decoded.dtype == np.uint8
            assert decoded.shape[2] == 3


@pytest.mark.parametrize("action", ["error", "default", "ignore"])
def test_too_many_pixels_are_refused_by_the_header(action: Any) -> None:
    """A size over the limit is refused unread, whatever becomes of Pillow's own warnings."""
    with warnings.catch_warnings(record=action == "default"):
        warnings.simplefilter(action)
        for width, height in (1001, 1000), (1500, 1500), (50_000, 50_000), (2**31 - 1, 1):
            with pytest.raises(TooLarge, match="more than 1000000 pixels"):
                decode(png(width, height), 1_000_000)
        with pytest.raises(BadInput):  # allowed by its size, and then found to be empty
            decode(png(1000, 1000), 1_000_000)


def test_a_bomb_costs_nothing() -> None:
    """A tenth of a megabyte that would unfold to 300 MB is refused with hardly any memory."""
    pixels = zlib.compress(bytes(10_001 * 10_000), 9)
    bomb = png(10_000, 10_000, chunk(b"IDAT", pixels))
    assert len(bomb) < 110_000
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decode(bomb, 99_999_999)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_bomb_within_an_icon_is_refused(rgb: Image.Image) -> None:
    """An ICO of 16 x 16, by its header, whose image is a PNG far beyond the limit."""
    inner = png(9000, 9000, chunk(b"IDAT", zlib.compress(bytes(9001 * 9000), 9)))
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    with pytest.raises(TooLarge):
        decode(struct.pack("<HHH", 0, 1, 1) + entry + inner, 1_000_000)


def test_a_bomb_of_text_is_refused() -> None:
    """A PNG with a compressed comment that would unfold to 100 MB."""
    comment = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    with pytest.raises(BadInput, match="cannot be decoded"):
        decode(png(10, 10, comment, chunk(b"IDAT", zlib.compress(bytes(110)))), LIMIT)
