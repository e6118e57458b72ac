"""`/h/hash`: every row, status and message."""

import hashlib
import re
from collections.abc import Iterator

import pytest

from local_runtime.store.s3_server import S3Server
from tests.contract.answers import assert_canonical, message
from tests.contract.conftest import Serve
from tests.pictures import blank, photograph, truncated
from tests.served import Served
from tests.servers import boto3_client

PHOTO = ("picture.png", photograph(), "image/png")


@pytest.fixture(scope="module")
def strict(serve: Serve) -> Iterator[Served]:
    """A server that knows of no host to trust, takes no videos, and little at once."""
    with serve(allowed_hostnames="", content_types="photo", max_upload_bytes=100_000) as served:
        yield served


def test_photograph_has_a_pdq_hash(api: Served) -> None:
    """A flat map of strings: 64 hexadecimal digits of pdq, and nothing else for a photo."""
    answer = api.post("/h/hash", files={"photo": PHOTO})
    assert answer.status_code == 200
    assert_canonical(answer)
    assert list(answer.json()) == ["pdq"]
    assert re.fullmatch("[0-9a-f]{64}", answer.json()["pdq"])


def test_url_has_the_hash_of_what_it_leads_to(api: Served, pages: str) -> None:
    """The content type is the server's, or the one told."""
    uploaded = api.post("/h/hash", files={"photo": PHOTO}).json()
    assert api.get("/h/hash", url=f"{pages}/photo.png").json() == uploaded
    assert api.get("/h/hash", url=f"{pages}/photo", content_type="photo").json() == uploaded
    assert api.get("/h/hash", url=f"{pages}/bare", content_type="photo").json() == uploaded


def test_video_has_an_md5(api: Served, pages: str) -> None:
    """A video is hashed to its MD5, uploaded or fetched."""
    expected = {"video_md5": hashlib.md5(b"not really a video").hexdigest()}
    assert api.get("/h/hash", url=f"{pages}/video.mp4").json() == expected
    assert api.post("/h/hash", files={"video": b"not really a video"}).json() == expected


def test_types_are_selected(api: Served, pages: str) -> None:
    """`types` is a list by commas; blanks count for nothing."""
    for types in "pdq", " pdq ,", "pdq,pdq":
        assert list(api.get("/h/hash", url=f"{pages}/photo.png", types=types).json()) == ["pdq"]
        posted = api.post("/h/hash", params={"types": types}, files={"photo": PHOTO})
        assert list(posted.json()) == ["pdq"]


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ("video_md5", "signal type 'video_md5' doesn't exist or is disabled"),
        ("pdq,sha0", "signal type 'sha0' doesn't exist or is disabled"),
        (",", "empty signal type selection"),
        (" ", "empty signal type selection"),
    ],
)
def test_types_are_checked(api: Served, pages: str, types: str, said: str) -> None:
    """A type that does not exist, or not for this content, is 400."""
    assert message(api.get("/h/hash", url=f"{pages}/photo.png", types=types), 400) == said
    posted = api.post("/h/hash", params={"types": types}, files={"photo": PHOTO})
    assert message(posted, 400) == said


def test_a_reference_has_the_hash_of_the_object(serve: Serve, seaweedfs: S3Server) -> None:
    """In an allowed bucket, by hash and by match; in none where no bucket is allowed."""
    boto3_client(seaweedfs).put_object(
        Bucket=seaweedfs.bucket, Key="up/photo.png", Body=photograph(), ContentType="image/png"
    )
    reference = f"s3://{seaweedfs.bucket}/up/photo.png"
    server = {
        "store_endpoint": seaweedfs.endpoint,
        "store_key": seaweedfs.key,
        "store_secret": seaweedfs.secret,
    }
    with serve(allowed_buckets=f"s3://{seaweedfs.bucket}", **server) as served:
        assert served.post("/publish").status_code == 200
        uploaded = served.post("/h/hash", files={"photo": PHOTO}).json()
        assert served.get("/h/hash", url=reference).json() == uploaded
        assert served.get("/m/lookup", url=reference).json() == {"pdq": {}}
        assert served.get("/h/hash", url=f"{reference}x").status_code == 400
    with serve(**server) as served:
        answer = served.get("/h/hash", url=reference)
        assert "HMA_ALLOWED_BUCKETS" in message(answer, 400)


def test_url_is_required(api: Served) -> None:
    """Form B, exactly as pydantic says it."""
    answer = api.get("/h/hash", content_type="photo")
    assert answer.status_code == 422
    assert_canonical(answer)
    (error,) = answer.json()
    assert error.pop("url").startswith("https://errors.pydantic.dev/")
    assert error == {
        "type": "missing",
        "loc": ["url"],
        "msg": "Field required",
        "input": {"content_type": "photo"},
    }


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "file:///etc/passwd",
        "ftp://example.org/a.png",
        "http://",
        "http://[",
        "http://127.0.0.1/a.png",
        "http://localhost/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/a.png",
        "http://0/a.png",
        "http://127.0.0.1:99999/a.png",
        "http://user:secret@10.0.0.1/",
        "http://\0/",
        "http://a..b/",
    ],
)
def test_unsafe_urls_are_refused(strict: Served, url: str) -> None:
    """What is no web address, or leads into our own network, is not fetched."""
    answer = strict.get("/h/hash", url=url)
    assert message(answer, 400) == "Invalid or unsafe URL provided"


def test_failed_fetches(api: Served, pages: str) -> None:
    """A page that is not there, and a server that is not there."""
    for url in f"{pages}/missing.png", "http://127.0.0.1:1/a.png":
        assert message(api.get("/h/hash", url=url), 400).startswith("Failed to fetch URL: ")


@pytest.mark.parametrize("path", ["page.html", "photo", "bare"])
def test_content_type_has_to_be_known(api: Served, pages: str, path: str) -> None:
    """Neither image nor video, or not told at all, is 400 with advice."""
    said = message(api.get("/h/hash", url=f"{pages}/{path}"), 400)
    assert said.startswith("unsupported url ContentType: '")
    assert said.endswith(
        "', if you know the expected type, provide it with the content_type query param"
    )


def test_content_type_has_to_exist(api: Served, pages: str) -> None:
    """Told in the query or as the name of the form's field."""
    fetched = api.get("/h/hash", url=f"{pages}/photo.png", content_type="sculpture")
    assert message(fetched, 400) == "no such content_type: 'sculpture'"
    posted = api.post("/h/hash", files={"file": PHOTO})
    assert message(posted, 400) == "no such content_type: 'file'"


def test_content_type_has_to_be_enabled(strict: Served) -> None:
    """A content type that exists but is off has a message of its own."""
    posted = strict.post("/h/hash", files={"video": b"x"})
    assert message(posted, 400) == "content_type video is disabled"


def test_exactly_one_file(api: Served) -> None:
    """None, or two under one name or under two, is 400."""
    missing = "Missing multipart/form-data file upload"
    assert message(api.post("/h/hash"), 400) == missing
    assert message(api.post("/h/hash", data={"photo": "text"}), 400) == missing
    assert message(api.post("/h/hash", files={"photo": (None, "text")}), 400) == missing
    assert message(api.post("/h/hash", json={"photo": "x"}), 400) == missing
    for files in [("photo", PHOTO), ("photo", PHOTO)], [("photo", PHOTO), ("video", PHOTO)]:
        assert message(api.post("/h/hash", files=files), 400) == "Only one file allowed per request"


def test_too_much_is_refused(api: Served, strict: Served, pages: str) -> None:
    """An upload over its limit and a fetched file over its own are 413."""
    fetched = api.get("/h/hash", url=f"{pages}/large.mp4")
    assert message(fetched, 413) == "Content too large"
    posted = strict.post("/h/hash", files={"photo": PHOTO})
    assert message(posted, 413) == "The data value transmitted exceeds the capacity limit."


@pytest.mark.parametrize(
    "content",
    [
        truncated(),
        b"just text",
        b"",
        photograph("rocket.jpg")[:20],
        b"\x89PNG\r\n\x1a\n" + bytes(64),
    ],
    ids=["truncated", "text", "empty", "header", "zeros"],
)
def test_what_is_no_picture(api: Served, content: bytes) -> None:
    """A file that cannot be decoded is the client's mistake: 400."""
    assert message(api.post("/h/hash", files={"photo": ("picture.jpg", content)}), 400)


def test_broken_picture_behind_a_url(api: Served, pages: str) -> None:
    """The same file is the same mistake when it is fetched."""
    assert message(api.get("/h/hash", url=f"{pages}/broken.jpg"), 400)


def test_featureless_picture(api: Served, pages: str) -> None:
    """One colour has no PDQ hash worth the name: the empty string, with 200."""
    posted = api.post("/h/hash", files={"photo": ("blank.png", blank())})
    assert (posted.status_code, posted.json()) == (200, {"pdq": ""})
    assert api.get("/h/hash", url=f"{pages}/blank.png").json() == {"pdq": ""}
