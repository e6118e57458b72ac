"""Content becomes signals, of the right types; what cannot be hashed is the sender's mistake."""

import errno
import hashlib
import io
import os
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image
from threatexchange.content_type.photo import PhotoContent
from threatexchange.content_type.video import VideoContent
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes
from threatexchange.signal_type.signal_base import FileHasher, SimpleSignalType

from core.download.content_type import read_content_type
from core.errors import BadInput, TooLarge, Unavailable
from core.hashing.media.media_source import MediaSource
from core.settings import Settings
from core.signal_types.enabled import SignalTypes
from core.signal_types.hash_content import hash_content
from tests.pictures import blank, photograph, truncated

EXTENSION = Path(__file__).parents[2] / "extension_example"

VIDEO = b"not really a video, but bytes all the same"


class SizeSignal(SimpleSignalType, FileHasher):  # type: ignore[misc]
    """The number of bytes of a picture or a video, by the file's path alone."""

    @classmethod
    def get_content_types(cls) -> list[type]:
        return [PhotoContent, VideoContent]

    @classmethod
    def get_index_cls(cls) -> None:
        return None

    @classmethod
    def hash_from_file(cls, file: Path) -> str:
        size = file.stat().st_size
        if size == 13:
            raise LookupError("no signals on Fridays")
        if size == 14:
            raise AssertionError
        return str(size)

    @staticmethod
    def get_examples() -> list[str]:
        return ["42"]


SIZE = "tests.core.signal_types.test_hash_content:SizeSignal"


def signals(
    content_type: str,
    source: MediaSource,
    wanted: list[str] | None = None,
    **changes: object,
) -> dict[str, str]:
    """What `hash_content` says in a deployment with these settings."""
    settings = Settings.model_validate(changes)
    types = SignalTypes.from_settings(settings)
    return dict(hash_content(types, settings, content_type, source, wanted).signals)


@pytest.mark.parametrize("name", ["astronaut.png", "rocket.jpg", "coins.png", "logo.png"])
def test_a_photo_has_the_pdq_of_threatexchange(name: str) -> None:
    """Gray, in colour, with transparency: the hash that HMA has always given."""
    expected, quality = pdq_from_bytes(photograph(name))
    assert quality >= 50
    assert signals("photo", photograph(name)) == {"pdq": expected}


def test_a_photo_that_says_too_little_has_an_empty_signal() -> None:
    """One colour all over has a quality under 50: a signal that matches nothing."""
    assert signals("photo", blank()) == {"pdq": ""}


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg"])
def test_the_fast_mode_is_a_few_bits_off(name: str) -> None:
    """Of large JPEGs it decodes less, and finds nearly the same; other files it hashes exactly."""
    with Image.open(io.BytesIO(photograph(name))) as image:
        large = image.convert("RGB").resize((2000, 1500))
    for form in "JPEG", "PNG":
        file = io.BytesIO()
        large.save(file, form)
        exact = signals("photo", file.getvalue())["pdq"]
        assert exact == pdq_from_bytes(file.getvalue())[0]
        fast = signals("photo", file.getvalue(), pdq_mode="fast")["pdq"]
        apart = (int(exact, 16) ^ int(fast, 16)).bit_count()
        assert apart <= (12 if form == "JPEG" else 0)


def test_the_fast_mode_is_exact_where_it_would_guess() -> None:
    """A chessboard's bits are set by rounding errors, which no shortcut finds."""
    with Image.open(io.BytesIO(photograph("chessboard_RGB.png"))) as image:
        file = io.BytesIO()
        image.convert("RGB").resize((1600, 1600)).save(file, "JPEG", quality=95)
    expected = pdq_from_bytes(file.getvalue())[0]
    assert signals("photo", file.getvalue(), pdq_mode="fast") == {"pdq": expected}


def test_a_full_disk_is_not_the_sender_s_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where content is kept for a type that wants a path, nor where that type fails."""
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_: object, **__: object) -> str:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr(SizeSignal, "hash_from_file", refuse)
        with pytest.raises(Unavailable, match="No space left"):
            signals("video", VIDEO, signal_types=SIZE)
    monkeypatch.setattr(tempfile, "tempdir", "/dev/full")
    with pytest.raises(Unavailable, match="cannot be kept to be hashed"):
        signals("video", VIDEO, signal_types=SIZE)


def test_a_video_has_its_md5(tmp_path: Path) -> None:
    """As bytes, as a path, and as a file that was read before."""
    path = tmp_path / "video"
    path.write_bytes(VIDEO)
    file = io.BytesIO(VIDEO)
    file.read()
    for source in VIDEO, path, file:
        assert signals("video", source) == {"video_md5": hashlib.md5(VIDEO).hexdigest()}


def test_a_video_streams(tmp_path: Path) -> None:
    """A file far larger than the memory used for it, by its path and open."""
    path = tmp_path / "large"
    size = 64 << 20
    path.touch()
    os.truncate(path, size)
    expected = {"video_md5": hashlib.md5(bytes(size)).hexdigest()}
    tracemalloc.start()
    assert signals("video", path) == expected
    with path.open("rb") as file:
        assert signals("video", file) == expected
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_types_by_path_get_one(tmp_path: Path) -> None:
    """A type that hashes files is given a path, whichever way the content came."""
    content = b"x" * 42
    path = tmp_path / "file"
    path.write_bytes(content)
    for source in content, path, io.BytesIO(content):
        assert signals("video", source, signal_types=SIZE) == {"size": "42"}


def test_an_extension_hashes_its_own_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """A content type and a text hasher that came with an extension."""
    monkeypatch.syspath_prepend(str(EXTENSION))
    caption = b"The cat sat on the mat."
    assert signals("caption", caption, extensions="captions") == {
        "caption_words": "cat mat on sat the"
    }
    assert signals("caption", b"Cat!", extensions="captions") == {"caption_words": ""}
    with pytest.raises(BadInput, match="cannot be hashed to caption_words: 'utf-8' codec"):
        signals("caption", b"\xff\xfe\xfd", extensions="captions")


def test_all_types_that_apply_or_those_wanted() -> None:
    """A photo has no video signals; a list of types, with blanks and repeats, narrows it."""
    types = f"pdq,video_md5,raw_text,{SIZE}"
    photo = photograph("coffee.png")
    assert set(signals("photo", photo, signal_types=types)) == {"pdq", "size"}
    assert set(signals("photo", photo, ["size"], signal_types=types)) == {"size"}
    assert set(signals("photo", photo, [" pdq", "", "pdq "], signal_types=types)) == {"pdq"}
    assert set(signals("video", photo, signal_types=types)) == {"video_md5", "size"}


@pytest.mark.parametrize(
    ("content_type", "wanted", "said"),
    [
        ("sculpture", None, "no such content_type: 'sculpture'"),
        ("file", None, "no such content_type: 'file'"),
        ("", None, "no such content_type: ''"),
        ("text", None, "content_type text is disabled"),
        ("photo", ["sha0"], "signal type 'sha0' doesn't exist or is disabled"),
        ("photo", ["video_md5"], "signal type 'video_md5' doesn't exist or is disabled"),
        ("photo", ["pdq", "url"], "signal type 'url' doesn't exist or is disabled"),
        ("photo", [], "empty signal type selection"),
        ("photo", ["", " "], "empty signal type selection"),
    ],
)
def test_selections_are_checked_before_anything_is_read(
    content_type: str, wanted: list[str] | None, said: str
) -> None:
    """In the contract's words; that the content cannot be decoded does not come into it."""
    with pytest.raises(BadInput) as caught:
        signals(content_type, b"no image", wanted)
    assert caught.value.message == said


def test_content_without_any_type_is_an_empty_selection() -> None:
    """A content type that is enabled, and none of the signal types applies to it."""
    with pytest.raises(BadInput, match="empty signal type selection"):
        signals("video", VIDEO, signal_types="pdq")


@pytest.mark.parametrize("content", [b"", b"just text", truncated(), photograph("page.png")[:99]])
def test_what_is_no_photo_is_bad_input(content: bytes) -> None:
    """Empty, text, cut short."""
    with pytest.raises(BadInput):
        signals("photo", content)


def test_a_photo_with_too_many_pixels_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of the settings holds."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # the process's, put back at the end
    assert signals("photo", blank(), max_pixels=128 * 128)
    with pytest.raises(TooLarge):
        signals("photo", blank(), max_pixels=128 * 128 - 1)


@pytest.mark.parametrize(("size", "why"), [(13, "no signals on Fridays"), (14, "AssertionError")])
def test_a_type_that_raises_is_bad_input(size: int, why: str) -> None:
    """Whatever another's code raises, the request was at fault, and the answer says how."""
    with pytest.raises(BadInput) as caught:
        signals("video", bytes(size), signal_types=SIZE)
    assert caught.value.message == f"the content cannot be hashed to size: {why}"


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    """For a photo, a video, and another's type."""
    missing = tmp_path / "missing"
    for content_type, types in ("photo", "pdq"), ("video", "video_md5"), ("photo", SIZE):
        with pytest.raises(BadInput, match="No such file"):
            signals(content_type, missing, signal_types=types)


@pytest.mark.parametrize(
    ("header", "content_type"),
    [
        *((header, "photo") for header in ("image/png", "IMAGE/JPEG; q=1", "image", "image*")),
        *((header, "video") for header in ("video/mp4", "Video/X-Whatever;charset=utf-8")),
    ],
)
def test_content_types_of_headers(header: str, content_type: str) -> None:
    """Every sort of image is a photo, every sort of video a video."""
    assert read_content_type(header) == content_type


@pytest.mark.parametrize("header", [None, "", "text/html", "application/octet-stream", "my/image"])
def test_other_headers_are_unsupported(header: str | None) -> None:
    """Neither, or none: the contract's advice."""
    with pytest.raises(BadInput) as caught:
        read_content_type(header)
    assert caught.value.message == (
        f"unsupported url ContentType: '{header or ''}', if you know the expected type, "
        "provide it with the content_type query param"
    )
