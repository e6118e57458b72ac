"""What happens to pictures between two uploads: the alterations whose copies are to be found.

Each takes a photograph and gives the file of an altered copy. Every number that is drawn at
random comes from a seed of its own, so a run can be repeated.
"""

import io
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import ExifTags, Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

Picture = Image.Image
Change = Callable[[Picture], Picture]

WORDS = ("when you finally", "nobody:", "me at 3 am", "THIS IS FINE", "wait for it", "so true")


def jpeg(image: Picture, quality: int = 85, **options: object) -> bytes:
    return _file(image, "JPEG", quality=quality, **options)


def _file(image: Picture, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _scaled(factor: float) -> Change:
    def change(image: Picture) -> Picture:
        size = (round(image.width * factor), round(image.height * factor))
        return image.resize(size, Image.Resampling.LANCZOS)

    return change


def _narrow(image: Picture) -> Picture:
    return image.resize((100, round(100 * image.height / image.width)), Image.Resampling.LANCZOS)


def _stretched(image: Picture) -> Picture:
    return image.resize((round(image.width * 1.2), image.height), Image.Resampling.LANCZOS)


def cropped(left: float, top: float, right: float, bottom: float) -> Change:
    """Cut off these shares of the width and of the height."""

    def change(image: Picture) -> Picture:
        width, height = image.size
        return image.crop(
            (
                round(left * width),
                round(top * height),
                width - round(right * width),
                height - round(bottom * height),
            )
        )

    return change


def bordered(color: str, across: float, down: float) -> Change:
    def change(image: Picture) -> Picture:
        x, y = round(across * image.width), round(down * image.height)
        framed = Image.new("RGB", (image.width + 2 * x, image.height + 2 * y), color)
        framed.paste(image, (x, y))
        return framed

    return change


def blurred_sides(image: Picture) -> Picture:
    """As a tall picture is shown in a wide frame: on a large, blurred copy of itself."""
    width = round(1.5 * image.width)
    behind = image.resize((width, round(1.5 * image.height)), Image.Resampling.BILINEAR)
    behind = behind.filter(ImageFilter.GaussianBlur(image.width / 20))
    top = (behind.height - image.height) // 2
    behind = behind.crop((0, top, width, top + image.height))
    behind.paste(image, ((width - image.width) // 2, 0))
    return behind


def captioned(*, over: bool, top: bool, dark: bool = False) -> Change:
    """A band with words, 15 % of the height, above or below the picture, or over its edge."""

    def change(image: Picture) -> Picture:
        width, height = image.size
        band = max(16, round(0.15 * height))
        canvas = Image.new("RGB", (width, height + (0 if over else band)), "black")
        canvas.paste(image, (0, band if top and not over else 0))
        start = 0 if top else canvas.height - band
        draw = ImageDraw.Draw(canvas)
        draw.rectangle((0, start, width, start + band), fill="black" if dark else "white")
        words = random.Random(height).choice(WORDS)
        font = ImageFont.load_default(round(0.5 * band))
        draw.text(
            (width // 2, start + band // 2),
            words,
            fill="white" if dark else "black",
            font=font,
            anchor="mm",
        )
        return canvas

    return change


def _watermarked(image: Picture) -> Picture:
    copy = image.copy()
    font = ImageFont.load_default(max(10, image.height // 12))
    corner = (image.width - 8, image.height - 8)
    ImageDraw.Draw(copy).text(corner, "@copies", fill="white", font=font, anchor="rs")
    return copy


def screenshot(image: Picture) -> Picture:
    """A telephone's screen: clock and signs, the name of a feed, the picture, words and buttons."""
    width = 540
    shown = image.resize((width, round(width * image.height / image.width)))
    screen = Image.new("RGB", (width, max(960, shown.height + 300)), "white")
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, 36), fill=(32, 32, 32))
    font = ImageFont.load_default(20)
    draw.text((16, 6), "9:41", fill="white", font=font)
    draw.text((width - 16, 6), "5G  87 %", fill="white", font=font, anchor="ra")
    draw.ellipse((16, 52, 64, 100), fill=(90, 120, 200))
    draw.text((80, 64), "somebody.somewhere", fill="black", font=font)
    screen.paste(shown, (0, 116))
    below = 116 + shown.height
    for at in range(3):
        draw.ellipse((16 + 60 * at, below + 12, 48 + 60 * at, below + 44), outline="black", width=3)
    draw.text((16, below + 60), "1,234 likes", fill="black", font=font)
    draw.text((16, below + 90), "look what I have found today", fill="black", font=font)
    return screen


def inset(share: float) -> Change:
    """The picture within another one, which is a gradient with noise: a wall, a desk."""

    def change(image: Picture) -> Picture:
        width, height = (round(side / share) for side in image.size)
        rng = np.random.default_rng(width)
        coarse = rng.integers(40, 220, (6, 8, 3), dtype=np.uint8)
        behind = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 6, (height, width, 3))
        behind = Image.fromarray((np.asarray(behind) + grain).clip(0, 255).astype(np.uint8))
        behind.paste(image, (round(0.3 * (width - image.width)), (height - image.height) // 2))
        return behind

    return change


def _covered(image: Picture) -> Picture:
    """Another picture in its corner, a fifth of its width and height."""
    copy = image.copy()
    small = image.transpose(Image.Transpose.ROTATE_180).resize(
        (image.width // 5, image.height // 5)
    )
    copy.paste(small, (round(0.77 * image.width), round(0.77 * image.height)))
    return copy


def turned(degrees: float, *, whole: bool = True) -> Change:
    """Turned on black: the whole of it, or what a frame as large as before still shows."""
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC, expand=whole)


def _straightened(degrees: float) -> Change:
    """Turned, and cut to the largest rectangle of the same shape with no corner empty."""

    def change(image: Picture) -> Picture:
        width, height = image.size
        angle = np.deg2rad(abs(degrees))
        shape = max(width / height, height / width)
        share = 1 / (np.cos(angle) + shape * np.sin(angle))
        cut = (1 - share) / 2
        return cropped(cut, cut, cut, cut)(image.rotate(degrees, Image.Resampling.BICUBIC))

    return change


def _mirrored(image: Picture) -> Picture:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _noisy(image: Picture) -> Picture:
    rng = np.random.default_rng(image.width)
    pixels = np.asarray(image) + rng.normal(0, 20, (image.height, image.width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _gamma(image: Picture) -> Picture:
    return image.point([round(255 * (level / 255) ** 1.8) for level in range(256)] * 3)


def _sideways(image: Picture) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return jpeg(image.transpose(Image.Transpose.ROTATE_90), exif=exif)


def _sixteen_bits(image: Picture) -> bytes:
    gray = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return _file(Image.fromarray(gray), "PNG")


def _saved(change: Change) -> Callable[[Picture], bytes]:
    return lambda image: jpeg(change(image))


ALTERATIONS: Mapping[str, Callable[[Picture], bytes]] = MappingProxyType(
    {
        "unchanged": lambda image: _file(image, "PNG"),
        "jpeg 80": lambda image: jpeg(image, 80),
        "jpeg 40": lambda image: jpeg(image, 40),
        "jpeg 10": lambda image: jpeg(image, 10),
        "webp 50": lambda image: _file(image, "WEBP", quality=50),
        "gif": lambda image: _file(image.quantize(256), "GIF"),
        "palette png": lambda image: _file(image.quantize(64), "PNG"),
        "cmyk jpeg": lambda image: _file(image.convert("CMYK"), "JPEG", quality=85),
        "16 bit png": _sixteen_bits,
        "exif sideways": _sideways,
        "gray": _saved(lambda image: image.convert("L").convert("RGB")),
        "double size": _saved(_scaled(2)),
        "half size": _saved(_scaled(0.5)),
        "100 pixels wide": _saved(_narrow),
        "stretched 20 %": _saved(_stretched),
        "crop 2 %": _saved(cropped(0.02, 0.02, 0.02, 0.02)),
        "crop 5 %": _saved(cropped(0.05, 0.05, 0.05, 0.05)),
        "crop 10 %": _saved(cropped(0.1, 0.1, 0.1, 0.1)),
        "crop 15 %": _saved(cropped(0.15, 0.15, 0.15, 0.15)),
        "crop 20 %": _saved(cropped(0.2, 0.2, 0.2, 0.2)),
        "crop left 12 %": _saved(cropped(0.12, 0, 0, 0)),
        "crop bottom 10 %": _saved(cropped(0, 0, 0, 0.1)),
        "white border 5 %": _saved(bordered("white", 0.05, 0.05)),
        "black border 10 %": _saved(bordered("black", 0.1, 0.1)),
        "letterbox": _saved(bordered("black", 0, 0.2)),
        "blurred sides": _saved(blurred_sides),
        "caption above": _saved(captioned(over=False, top=True)),
        "caption over the edge": _saved(captioned(over=True, top=False)),
        "dark caption over the edge": _saved(captioned(over=True, top=True, dark=True)),
        "watermark": _saved(_watermarked),
        "screenshot": _saved(screenshot),
        "picture in picture": _saved(inset(0.6)),
        "covered corner": _saved(_covered),
        "darker": _saved(lambda image: ImageEnhance.Brightness(image).enhance(0.6)),
        "very dark": _saved(lambda image: ImageEnhance.Brightness(image).enhance(0.25)),
        "brighter": _saved(lambda image: ImageEnhance.Brightness(image).enhance(1.4)),
        "low contrast": _saved(lambda image: ImageEnhance.Contrast(image).enhance(0.5)),
        "high contrast": _saved(lambda image: ImageEnhance.Contrast(image).enhance(1.6)),
        "gamma 1.8": _saved(_gamma),
        "saturated": _saved(lambda image: ImageEnhance.Color(image).enhance(2)),
        "blur": _saved(lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 200))),
        "sharpened": _saved(lambda image: ImageEnhance.Sharpness(image).enhance(4)),
        "noise": _saved(_noisy),
        "mirror": _saved(_mirrored),
        "mirror in a border": _saved(lambda image: bordered("black", 0.1, 0.1)(_mirrored(image))),
        "mirror in a screenshot": _saved(lambda image: screenshot(_mirrored(image))),
        "mirror turned 5°": _saved(lambda image: turned(-5)(_mirrored(image))),
        "mirror turned 3° in its frame": _saved(
            lambda image: turned(3, whole=False)(_mirrored(image))
        ),
        "upside down": _saved(lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
        "turned 90°": _saved(lambda image: image.transpose(Image.Transpose.ROTATE_90)),
        "turned 180°": _saved(lambda image: image.transpose(Image.Transpose.ROTATE_180)),
        "turned 1°": _saved(turned(1)),
        "turned 2°": _saved(turned(2)),
        "turned 5°": _saved(turned(-5)),
        "turned 17°": _saved(turned(17)),
        "turned 40°": _saved(turned(-40)),
        "turned 3° in its frame": _saved(turned(3, whole=False)),
        "turned 10° in its frame": _saved(turned(10, whole=False)),
        "straightened 2°": _saved(_straightened(2)),
        "straightened 5°": _saved(_straightened(5)),
    }
)
