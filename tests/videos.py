"""Videos to hash: films over real photographs, and copies of them such as people upload."""

import functools
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import av
from PIL import Image

from tests.pictures import photograph

KNOWN = ("astronaut.png", "coffee.png", "rocket.jpg")
OTHER = ("chelsea.png", "motorcycle_left.png", "camera.png")

SIZE = (320, 240)
RATE = 10
SECONDS_EACH = 4


@functools.cache
def film(
    photographs: tuple[str, ...] = KNOWN,
    *,
    size: tuple[int, int] = SIZE,
    rate: int = RATE,
    codec: str = "libx264",
    form: str = "mp4",
    quality: int | None = None,
    start: int = 0,
    seconds: int | None = None,
) -> bytes:
    """Seconds of a camera that moves over one photograph after the other.

    Args:
        quality: of libx264: 18 is good, 40 is bad.
        start, seconds: the excerpt, by the whole film's seconds.
    """
    options = {} if quality is None else {"crf": str(quality)}
    end = len(photographs) * SECONDS_EACH if seconds is None else start + seconds
    scenes = _scenes(photographs, rate, start, end)
    images = (image.resize(size, Image.Resampling.LANCZOS) for image in scenes)
    return encoded(images, rate=rate, codec=codec, form=form, options=options)


def encoded(
    images: Iterable[Image.Image],
    *,
    rate: int = RATE,
    codec: str = "libx264",
    form: str = "mp4",
    options: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """A video of `images`, all of one size, as a file."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options))
        stream.pix_fmt = "yuv420p"
        for number, image in enumerate(images):
            if not number:
                stream.width, stream.height = image.size
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return out.getvalue()


def _scenes(photographs: tuple[str, ...], rate: int, start: int, end: int) -> Iterator[Image.Image]:
    for second in range(start, end):
        image = _opened(photographs[second // SECONDS_EACH])
        width, height = image.width * 3 // 4, image.width * 9 // 16
        for number in range(rate):
            moved = (second % SECONDS_EACH + number / rate) / SECONDS_EACH
            left = (image.width - width) * moved
            top = max(image.height - height, 0) * moved
            yield image.crop((round(left), round(top), round(left) + width, round(top) + height))


@functools.cache
def _opened(name: str) -> Image.Image:
    with Image.open(io.BytesIO(photograph(name))) as image:
        return image.convert("RGB")


def black(seconds: int = 2) -> bytes:
    """A video in which nothing can be seen."""
    return encoded(itertools.repeat(Image.new("RGB", SIZE), seconds * RATE))
