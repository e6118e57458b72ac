"""Videos are hashed as their copies are, in bounded time and memory, whatever is sent."""

import io
import itertools
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from core.errors import BadInput, HmaError, TooLarge, Unavailable
from core.hashing import vpdq
from core.hashing.vpdq import hash_video as hashing
from core.hashing.vpdq.hash_video import hash_video
from tests.their_vpdq import NATIVE
from tests.videos import OTHER, black, encoded, film


def test_a_frame_each_second_is_hashed() -> None:
    """Twelve seconds: twelve frames, with their times, from whatever they are read."""
    signal = hash_video(film())
    frames = vpdq.read_frames(signal)
    assert [frame.timestamp for frame in frames] == [float(second) for second in range(12)]
    assert all(frame.pdq.quality >= 50 for frame in frames)
    assert vpdq.normalise_signal(signal) == signal
    assert hash_video(io.BytesIO(film())) == signal
    with tempfile.SpooledTemporaryFile() as upload:
        upload.write(film())
        assert hash_video(upload) == signal


@pytest.mark.skipif(not NATIVE, reason="the vpdq package is not installed (it needs FFmpeg)")
@pytest.mark.parametrize("options", [{}, {"rate": 25}, {"codec": "mpeg4", "form": "avi"}])
def test_hashes_are_those_of_the_vpdq_package(options: dict[str, object], tmp_path: Path) -> None:
    """The same frames at the same times, each some bits off at most: decoders round differently."""
    from threatexchange.extensions.vpdq.vpdq import VPDQSignal

    path = tmp_path / "film"
    path.write_bytes(film(**options))
    ours, theirs = (
        vpdq.read_frames(hash_video(path)),
        vpdq.read_frames(VPDQSignal.hash_from_file(path)),
    )
    assert [frame.timestamp for frame in ours] == [frame.timestamp for frame in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert (int(one.pdq.hash, 16) ^ int(other.pdq.hash, 16)).bit_count() <= 8
        assert abs(one.pdq.quality - other.pdq.quality) <= 2


COPIES: dict[str, Callable[[], bytes]] = {
    "recompressed": lambda: film(quality=36),
    "smaller": lambda: film(size=(214, 160), quality=30),
    "an excerpt": lambda: film(start=2, seconds=6),
    "another codec": lambda: film(codec="libvpx", form="webm", seconds=3),
    "in an avi": lambda: film(codec="mpeg4", form="avi"),
    "all of it": lambda: film(size=(240, 180), quality=34, start=3, seconds=7),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_match_and_others_do_not(copy: str) -> None:
    """Re-encoded, rescaled and shortened; a film over other photographs is none of it."""
    known = hash_video(film())
    signal = hash_video(COPIES[copy]())
    assert vpdq.compare(signal, known).matches
    other = vpdq.compare(hash_video(film(OTHER)), known)
    assert (other.query_match_percent, other.matches) == (0, False)


def test_what_shows_nothing_has_no_signal() -> None:
    """Black from end to end: empty, as for a blank picture."""
    assert hash_video(black()) == ""


def turned(content: bytes, degrees: int) -> bytes:
    """The same frames in a file that says that they are to be shown turned."""
    out = io.BytesIO()
    with av.open(io.BytesIO(content)) as source, av.open(out, "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(degrees)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_video_is_hashed_as_it_is_shown(degrees: int) -> None:
    """One that its file says is to be turned matches none as stored, and one turned for good."""
    shown = turned(film(seconds=4), degrees)
    with av.open(io.BytesIO(shown)) as source:
        frames = list(source.decode(video=0))
    images = (frame.to_image().rotate(frame.rotation, expand=True) for frame in frames)
    asked, upright = hash_video(shown), hash_video(encoded(images))
    assert vpdq.compare(asked, upright).query_match_percent == 100
    assert vpdq.compare(asked, hash_video(film(seconds=4))).query_match_percent == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a video",
        bytes(100_000),
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>',
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
        film()[:300],
        film()[: len(film()) // 2],
    ],
)
def test_what_is_no_video_is_bad_input(content: bytes) -> None:
    """Nothing, text, playlists that name other files, half a video: 400 and no trace."""
    with pytest.raises(BadInput, match="the video cannot be decoded: "):
        hash_video(content)


@pytest.mark.parametrize("name", ["list.m3u8", "frame-%03d.mp4", "http:"])
def test_a_playlist_reaches_nothing(name: str, tmp_path: Path) -> None:
    """A file is content, whatever its name would mean to FFmpeg; a playlist's entry stays shut."""
    (tmp_path / "secret.mp4").write_bytes(film())
    path = tmp_path / name
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(BadInput):
        hash_video(path)


def test_limits() -> None:
    """Pixels of a frame, hashes and time: too many is 413, and says of what."""
    with pytest.raises(TooLarge, match="more than 1000 pixels"):
        hash_video(film(), max_pixels=1000)
    with pytest.raises(TooLarge, match="takes too long"):
        hash_video(film(), seconds=0.0001)


def test_too_many_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many hashes as a signal may have, and not one more."""
    monkeypatch.setattr(hashing, "MOST_FRAMES", 12)
    assert len(vpdq.read_frames(hash_video(film()))) == 12
    monkeypatch.setattr(hashing, "MOST_FRAMES", 11)
    with pytest.raises(TooLarge, match="more than 11 seconds"):
        hash_video(film())


def test_without_pyav_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the sender's fault: 503, never a verdict on the file."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "av.error", None)
    with pytest.raises(Unavailable, match=r"Install hma-functions\[vpdq\]"):
        hash_video(film())


def test_damaged_videos_are_refused_or_read() -> None:
    """100 films with bytes changed anywhere: each has a signal or one of our errors."""
    rng = random.Random(11)
    whole = film(seconds=2)
    answers = set()
    for _ in range(100):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 30)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        try:
            hash_video(bytes(content), seconds=5)
            answers.add(200)
        except HmaError as error:
            answers.add(error.status)
    assert {200, 400} <= answers <= {200, 400, 413}


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    """Twenty times as long as another takes no more memory."""
    peaks = []
    for seconds in 10, 200:
        path = tmp_path / f"{seconds}.mp4"
        frame = Image.new("RGB", (640, 480))
        path.write_bytes(encoded(itertools.repeat(frame, seconds), rate=1, codec="mpeg4"))
        code = (
            "import resource, sys; from pathlib import Path;"
            "from core.hashing.vpdq.hash_video import hash_video;"
            "hash_video(Path(sys.argv[1]));"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 20_000  # kilobytes
