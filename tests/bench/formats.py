"""One picture in every format, and how far its hash is from that of its RGB: `make bench-formats`.

Of each photograph the RGB is hashed as a PNG, by us and by threatexchange's path, and then the same
picture in each format by the same of the two; bits are those of difference, their median and most.
Prints JSON lines, and rewrites a table in `docs/benchmarks.md`.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes

from core.hashing.hash_photo import hash_photo
from core.settings import Settings
from tests.bench.report import machine, put
from tests.pictures import PHOTOGRAPHS

PICTURES = (
    *("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "retina.jpg", "ihc.png"),
    *("hubble_deep_field.jpg", "motorcycle_left.png", "camera.png", "coins.png", "moon.png"),
)
SETTINGS = Settings()
FAILS = 257
"""Said where there is no hash at all: more bits than there are."""


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _heic(image: Image.Image) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, quality=80)
    return out.getvalue()


def _sixteen_bits(image: Image.Image, form: str) -> bytes:
    levels = np.asarray(image.convert("L"), np.uint16) * 257
    return _saved(Image.fromarray(levels), form)


def _sideways(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x112] = 6  # to be turned with the clock by whoever shows it
    return _saved(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=90, exif=exif)


def _animated(image: Image.Image, form: str, **options: Any) -> bytes:
    others = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    return _saved(image, form, save_all=True, append_images=others, **options)


def _opaque_half(image: Image.Image) -> Image.Image:
    with_alpha = image.convert("RGBA")
    with_alpha.putalpha(128)
    return with_alpha


FORMATS: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": lambda image: _saved(image, "JPEG", quality=90),
    "JPEG, progressive": lambda image: _saved(image, "JPEG", quality=90, progressive=True),
    "JPEG, gray": lambda image: _saved(image.convert("L"), "JPEG", quality=90),
    "JPEG, CMYK": lambda image: _saved(image.convert("CMYK"), "JPEG", quality=95),
    "JPEG, turned by EXIF": _sideways,
    "PNG, alpha": lambda image: _saved(_opaque_half(image), "PNG"),
    "PNG, palette": lambda image: _saved(image.quantize(256), "PNG"),
    "PNG, 16 bits": lambda image: _sixteen_bits(image, "PNG"),
    "GIF": lambda image: _saved(image, "GIF"),
    "GIF, animated": lambda image: _animated(image, "GIF"),
    "WebP": lambda image: _saved(image, "WEBP", quality=85),
    "WebP, animated": lambda image: _animated(image, "WEBP", quality=85),
    "AVIF": lambda image: _saved(image, "AVIF", quality=80),
    "HEIC": _heic,
    "TIFF": lambda image: _saved(image, "TIFF"),
    "TIFF, CMYK": lambda image: _saved(image.convert("CMYK"), "TIFF"),
    "TIFF, 16 bits": lambda image: _sixteen_bits(image, "TIFF"),
    "BMP": lambda image: _saved(image, "BMP"),
    "BMP, palette": lambda image: _saved(image.quantize(256), "BMP"),
}


def _ours(content: bytes) -> str:
    return hash_photo(content, SETTINGS).pdq.hash


def _theirs(content: bytes) -> str:
    return str(pdq_from_bytes(content)[0])


def _apart(hashed: Callable[[bytes], str], original: bytes, copy: bytes) -> int:
    try:
        return (int(hashed(original), 16) ^ int(hashed(copy), 16)).bit_count()
    except Exception:  # it raises what its libraries raise
        return FAILS


def _lines() -> Iterator[dict[str, Any]]:
    images: list[Image.Image] = []
    for name in PICTURES:
        with Image.open(PHOTOGRAPHS / name) as opened:
            images.append(opened.convert("RGB"))
    for name, made in FORMATS.items():
        bits: dict[str, list[int]] = {"ours": [], "theirs": []}
        for image in images:
            original, copy = _saved(image, "PNG", compress_level=1), made(image)
            bits["ours"].append(_apart(_ours, original, copy))
            bits["theirs"].append(_apart(_theirs, original, copy))
        for figure, of in (("bits_median", np.median), ("bits_max", max)):
            mine, peers = float(of(bits["ours"])), float(of(bits["theirs"]))
            yield {
                "bench": "formats",
                "case": f"{name}/{figure}",
                "ours": mine,
                "peer": peers,
                "peer_name": "threatexchange",
                "ratio": round(peers / mine, 2) if mine else None,
                "unit": "bits",
            }


def main() -> None:
    cases = {}
    for line in _lines():
        print(json.dumps(line), flush=True)
        cases[line["case"]] = line
    rows = ["| | ours: median, most | threatexchange: median, most |", "|---|---|---|"]
    for name in FORMATS:
        median, most = cases[f"{name}/bits_median"], cases[f"{name}/bits_max"]
        rows.append(
            f"| {name} | {median['ours']:g}, {most['ours']:g} "
            f"| {median['peer']:g}, {most['peer']:g} |"
        )
    put("formats", f"{len(PICTURES)} photographs. {machine()}\n\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
