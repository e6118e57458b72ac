"""Files made to hurt whoever decodes them, and a process that hashes them: `make prove-media`.

Each is hashed in this one process, under the default settings. It must give a signal or be refused
as bad input, within two seconds; the process must live on, and stay below 300 MB. Prints what
became of each as JSON lines, then of the fuzz rounds: well-formed files of every format, cut,
spliced, and with bytes and numbers changed.
"""

import io
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.errors import BadInput, TooLarge
from core.hashing.media.limits import FORMATS
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.signal_types.hash_content import hash_content
from tests.pictures import photograph

SECONDS = 2.0
MEGABYTES = 300

SETTINGS = Settings()
TYPES = SignalTypes.from_settings(SETTINGS)


def outcome(content: bytes) -> str:
    """`hashed`, or the status and the reason of its refusal. Anything else ends the process."""
    try:
        found = hash_content(TYPES, SETTINGS, "photo", content).signals
    except (BadInput, TooLarge) as error:
        return f"{error.status} {error.message}"
    assert set(found) == {"pdq"}
    return "hashed"


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(
        ">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, colour, 0, 0, 0
    )
    body = chunk(b"IHDR", header) + b"".join(chunks)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def pixels(width: int, height: int, line: bytes | None = None) -> bytes:
    """Image data of a PNG, all of it the same line."""
    return chunk(b"IDAT", deflated(b"\0" + (line or bytes(width)), height))


def deflated(piece: bytes, times: int) -> bytes:
    """`piece` so often, compressed: a MB of it is, and then repeats."""
    many = max(1, (1 << 20) // len(piece))
    block, rest = piece * many, piece * (times % many)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    repeated = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(rest) + packer.flush()
    checksum = 1
    for _ in range(times // many):
        checksum = zlib.adler32(block, checksum)
    checksum = zlib.adler32(rest, checksum)
    return b"\x78\xda" + repeated * (times // many) + last + struct.pack(">I", checksum)


def tiff(*entries: tuple[int, int, int, int], following: int = 0, data: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory of (tag, type, count, value) and some data after it."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    directory = struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8) + directory + data


def sized(width: int, height: int) -> tuple[tuple[int, int, int, int], ...]:
    """The entries of an uncompressed gray image whose strip is all that follows the directory."""
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8 + 2 + 9 * 12 + 4}
    values |= {277: 1, 278: height, 279: width * height & 0xFFFFFFFF}
    return tuple((tag, 4, 1, value) for tag, value in values.items())


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header tells another size."""
    place = next(jpeg.find(m) for m in (b"\xff\xc0", b"\xff\xc2") if m in jpeg)
    return jpeg[: place + 5] + struct.pack(">HH", height, width) + jpeg[place + 9 :]


def files() -> dict[str, bytes]:
    """The hostile files, by what is wrong with them."""
    small = Image.open(io.BytesIO(photograph("chelsea.png"))).convert("RGB").resize((120, 80))
    jpeg, progressive = saved(small, "JPEG"), saved(small, "JPEG", progressive=True)
    plain, gif, jp2 = saved(small, "PNG"), saved(small, "GIF"), saved(small, "JPEG2000")
    webp, avif, bmp = saved(small, "WEBP"), saved(small, "AVIF"), saved(small, "BMP")
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    siz = jp2.index(b"\xff\x51")
    icon = png(9000, 9000, pixels(9000, 9000))
    one = small.resize((4, 4))
    board = np.array([[0, 255] * 4, [255, 0] * 4] * 4, np.uint8)
    squares = board.repeat(860, axis=0).repeat(860, axis=1)
    turned = Image.Exif()
    turned[0x112] = 6
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(icon), 22)
    made = {
        "nothing": b"",
        "one byte": b"\xff",
        "text": b"just some text " * 1000,
        "zeros": bytes(1 << 20),
        "noise": random.Random(1).randbytes(1 << 20),
        "html": b"<html><img src=x onerror=alert(1)></html>",
        "svg that names a file": b"<!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;"
        b"</svg>",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "pdf around a jpeg": b"%PDF-1.4\n1 0 obj<</Filter/DCTDecode>>stream\n" + jpeg,
        "zip bomb": b"PK\x03\x04" + deflated(bytes(1000), 10_000),
        "mp4 called a photo": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(1000),
        "png that is a zip too": plain + b"PK\x05\x06" + bytes(18),
        "jpeg that is a script too": jpeg[:2] + b"\xff\xfe\0\x10/*alert(1)//*/" + jpeg[2:],
        "gif that is a script too": b"GIF89a/*" + gif[8:] + b"*/=1;alert(1)",
        "gif behind a jpeg's mark": b"\xff\xd8\xff" + gif,
        "png cut short": plain[: len(plain) // 2],
        "jpeg cut short": jpeg[: len(jpeg) // 2],
        "webp cut short": webp[: len(webp) // 2],
        "avif cut short": avif[: len(avif) // 2],
        "gif cut short": gif[: len(gif) // 2],
        "png bomb past the limit": icon,
        "png bomb at the limit": png(7000, 7000, pixels(7000, 7000)),
        "png bomb in colour at the limit": png(
            7000, 7000, pixels(7000, 7000, b"\x80" * 21000), colour=2
        ),
        "png of ties at the limit": saved(
            Image.fromarray(squares).convert("RGB"), "PNG", compress_level=1
        ),
        "jpeg of ties at the limit": saved(Image.fromarray(squares).convert("RGB"), "JPEG"),
        "jpeg of ties at the limit, turned": saved(
            Image.fromarray(squares).convert("RGB"), "JPEG", exif=turned
        ),
        "png of 16 bits at the limit": png(7000, 7000, pixels(7000, 7000, bytes(14000)), depth=16),
        "png a line of 48 megapixels": png(48_000_000, 1, pixels(48_000_000, 1)),
        "png a thread of 10 megapixels": png(5, 10_000_000, pixels(5, 10_000_000)),
        "png a ribbon of the longest side": png(32_767, 1500, pixels(32_767, 1500)),
        "png a tower of the longest side": png(1500, 32_767, pixels(1500, 32_767)),
        "png of four thousand million pixels": png(2**16 - 1, 2**16 - 1),
        "png of size -1": png(-1, -1),
        "png of no size": png(0, 10),
        "png of a million chunks": png(9, 9, chunk(b"teSt", b"x") * 1_000_000, pixels(9, 9)),
        "png with a comment of 100 MB": png(
            9, 9, chunk(b"zTXt", b"C\0\0" + deflated(bytes(1000), 100_000)), pixels(9, 9)
        ),
        "png with a profile of 100 MB": png(
            9, 9, chunk(b"iCCP", b"C\0\0" + deflated(bytes(1000), 100_000)), pixels(9, 9)
        ),
        "png without pixels": png(1000, 1000),
        "png of too many pixels": png(9, 9, pixels(9000, 9000)),
        "png that says 100,000 frames": png(
            9, 9, chunk(b"acTL", struct.pack(">II", 100_000, 0)), pixels(9, 9)
        ),
        "jpeg of 1000 scans": progressive[:-2] + scan * 1000 + progressive[-2:],
        "jpeg of 60 scans at the limit": with_size(
            progressive[:-2] + scan * 49 + progressive[-2:], 4400, 4400
        ),
        "jpeg of the longest sides": with_size(jpeg, 65_500, 65_500),
        "jpeg of 45 megapixels without them": with_size(jpeg, 9000, 5000),
        "jpeg of ten million comments": jpeg[:2] + b"\xff\xfe\0\2" * 10_000_000 + jpeg[2:],
        "jpeg filled with marks": jpeg[:2] + b"\xff" * 50_000_000 + jpeg[2:],
        "jpeg of nothing but starts": b"\xff\xd8" * 500_000,
        "jpeg with endless exif": saved(
            small, "JPEG", exif=b"Exif\0\0" + tiff(*sized(9, 9)[:1] * 5000, following=8)
        ),
        "gif of 65,535 pixels square": gif[:6] + b"\xff\xff\xff\xff" + gif[10:],
        "gif of 20,000 frames": gif[:-1] + saved(one, "GIF")[13 + 768 : -1] * 20_000 + b";",
        "gif of empty blocks": gif[:800] + b"\x21\xfe\0" * 300_000,
        "webp of the longest sides": webp[:26] + b"\xff\x3f\xff\x3f" + webp[30:],
        "webp bomb": saved(Image.new("RGB", (7000, 7000)), "WEBP", method=0),
        "avif bomb": saved(Image.new("RGB", (7000, 7000)), "AVIF", speed=10),
        "jpeg 2000 of 49 million tiles": jp2[: siz + 6]
        + struct.pack(">IIIIIIII", 7000, 7000, 0, 0, 1, 1, 0, 0)
        + jp2[siz + 38 :],
        "jpeg 2000 of 9 million tiles": jp2[: siz + 6]
        + struct.pack(">IIIIIIII", 3000, 3000, 0, 0, 1, 1, 0, 0)
        + jp2[siz + 38 :],
        "tiff of 60,000 pixels square": tiff(*sized(60_000, 60_000)),
        "tiff that follows itself": tiff(*sized(64, 64), following=8, data=bytes(4096)),
        "tiff of a strip beyond its end": tiff(*sized(4000, 4000)),
        "tiff of 4 thousand million values": tiff(*sized(9, 9)[:-1], (279, 4, 2**32 - 1, 8)),
        "tiff of 60,000 entries": tiff(*[(i, 3, 1, 1) for i in range(60_000)]),
        "bmp of 2,147,483,647 pixels square": bmp[:18]
        + struct.pack("<ii", 2**31 - 1, 2**31 - 1)
        + bmp[26:],
        "bmp of negative size": bmp[:18] + struct.pack("<ii", -120, -(2**31)) + bmp[26:],
        "bmp of runs": b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 99, 0, 1078, 40, 7000, 7000, 1, 8, 1, 0, 0, 0, 0, 0)
        + bytes(1024)
        + b"\1\0" * 2_000_000,
        "icon with a bomb in it": struct.pack("<HHH", 0, 1, 1) + entry + icon,
        "icon of 65,535 pictures": struct.pack("<HHH", 0, 1, 65_535) + entry * 65_535,
        "qoi bomb": b"qoif" + struct.pack(">IIBB", 7000, 7000, 3, 0) + b"\xfd" * 800_000,
        "ppm in words": b"P3 4000 4000 255 " + b"1 " * 3_000_000,
        "ppm of two thousand million": b"P6 2000000000 2000000000 255\n" + bytes(1000),
        "tga of runs": struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 65_535, 65_535, 24, 0)
        + b"\xff\0\0\0" * 100_000,
    }
    if "HEIF" in FORMATS:
        heic = saved(small, "HEIF")
        place = heic.index(b"ispe") + 8
        made |= {
            "heic cut short": heic[: len(heic) // 2],
            "heic of nothing": heic[:40],
            "heic of the longest sides": heic[:place] + b"\0\0\xff\xff" * 2 + heic[place + 8 :],
            "heic of boxes without end": heic[:24] + heic[24:40] * 10_000,
        }
    return made


def seeds() -> list[bytes]:
    """Small well-formed files of every format and mode."""
    with Image.open(io.BytesIO(photograph("chelsea.png"))) as image:
        small = image.convert("RGB").resize((48, 40))
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        *((form, "RGB", {}) for form in FORMATS if form not in ("DIB", "ICO")),
        *(("JPEG", mode, {"progressive": True}) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode, {}) for mode in ("P", "1", "LA", "RGBA", "I;16")),
        *(("TIFF", mode, {}) for mode in ("P", "CMYK", "F", "I;16")),
        *(("TIFF", "RGB", {"compression": how}) for how in ("tiff_lzw", "jpeg", "packbits")),
        *((form, "P", {}) for form in ("GIF", "BMP")),
        ("ICO", "RGBA", {}),
        ("DIB", "RGB", {}),
        ("WEBP", "RGBA", {"lossless": True}),
    ]
    made = [
        saved(
            small.convert("L").convert(mode) if mode == "I;16" else small.convert(mode), form, **how
        )
        for form, mode, how in kinds
    ]
    frames = [small.rotate(90 * turn) for turn in range(4)]
    return made + [
        saved(small, form, save_all=True, append_images=frames)
        for form in ("GIF", "PNG", "WEBP", "TIFF", "MPO", "AVIF")
    ]


def damaged(seeds: list[bytes], choose: random.Random) -> bytes:
    """One of them cut, spliced or changed, mostly in its header, where numbers are."""
    content = bytearray(choose.choice(seeds))
    for _ in range(choose.randrange(1, 9)):
        place = choose.randrange(choose.choice([64, 700, len(content) + 1])) % (len(content) + 1)
        match choose.randrange(7):
            case 0 | 1 | 2:
                content[place : place + 1] = bytes([choose.randrange(256)])
            case 3:
                number = choose.choice([0, 1, 255, 65_535, 2**31 - 1, 2**31, 2**32 - 1])
                order = choose.choice("<>")
                size = choose.choice("HI")
                mask = 0xFFFF if size == "H" else 0xFFFFFFFF
                packed = struct.pack(order + size, number & mask)
                content[place : place + len(packed)] = packed
            case 4:
                del content[place : place + choose.randrange(1, 40)]
            case 5:
                other = choose.choice(seeds)
                start = choose.randrange(len(other))
                content[place:place] = other[start : start + choose.randrange(1, 200)]
            case 6:
                del content[max(place, 20) :]
    return bytes(content)


def cost(content: bytes) -> tuple[str, float]:
    """What came of hashing it, and the seconds of the processor that it took."""
    started = time.process_time()
    return outcome(content), time.process_time() - started


def hash_all(folder: Path) -> int:
    """Hash every file in `folder`; how many took too long."""
    slow = 0
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        came_of_it, seconds = cost(content)
        told: dict[str, Any] = {"file": path.name, "outcome": came_of_it[:90]}
        slow += seconds > SECONDS
        told |= {"bytes": len(content), "seconds": round(seconds, 3), "peak_MB": round(peak())}
        print(json.dumps(told), flush=True)
    return slow


def fuzz(rounds: int) -> int:
    """Hash that many damaged files; how many took too long."""
    counted: Counter[str] = Counter()
    made, choose = seeds(), random.Random(2026)
    times = []
    for number in range(rounds):
        content = damaged(made, choose)
        came_of_it, seconds = cost(content)
        counted[came_of_it.split()[0]] += 1
        times.append(seconds)
        if times[-1] > SECONDS:
            print(json.dumps({"round": number, "seconds": times[-1]}), flush=True)
    told = {"rounds": rounds, "outcomes": counted, "slowest_s": round(max(times), 3)}
    print(json.dumps(told | {"peak_MB": round(peak())}), flush=True)
    return sum(seconds > SECONDS for seconds in times)


def peak() -> float:
    """The most memory that this process ever had, in megabytes; `getrusage` adds its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(rounds: int) -> None:
    """Make the files here, and hash them in another process, whose memory is its own."""
    with tempfile.TemporaryDirectory(prefix="hma-hostile-") as folder:
        for name, content in files().items():
            (Path(folder) / name).write_bytes(content)
        subprocess.run(
            [sys.executable, "-m", "tests.core.hashing.hostile_media", folder, str(rounds)],
            check=True,
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    match sys.argv[1:]:
        case [folder, rounds]:
            slow = hash_all(Path(folder)) + fuzz(int(rounds))
            sys.exit(slow > 0 or peak() > MEGABYTES)
        case [rounds]:
            main(int(rounds))
        case _:
            main(10_000)
