"""References to objects are read from the buckets that are allowed, within limits, or refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.download.fetch_url import fetch_url
from core.errors import BadInput, HmaError, Misconfigured, StoreUnavailable, TooLarge
from core.settings import Settings
from local_runtime.store.s3_server import BUCKET, S3Server
from tests.servers import Answer, Forward, Request, boto3_client, relay

PICTURE = b"not really a picture, but as large as one: " * 40_000
KEYS = ["photo.png", "a folder/ünïcode 100% ?x=1#y.png", "dots../..in.names"]


@pytest.fixture(params=["seaweedfs", "minio"])
def server(request: pytest.FixtureRequest) -> Iterator[S3Server]:
    """A real S3 server whose bucket holds the picture under each key."""
    running: S3Server = request.getfixturevalue(request.param)
    client = boto3_client(running)
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=PICTURE, ContentType="image/png")
    client.create_bucket(Bucket="another")
    client.put_object(Bucket="another", Key="secret", Body=b"secret")
    yield running
    for bucket, keys in ((BUCKET, KEYS), ("another", ["secret"])):
        for key in keys:
            client.delete_object(Bucket=bucket, Key=key)
    client.delete_bucket(Bucket="another")


def settings_for(server: S3Server, **changes: Any) -> Settings:
    """Settings with which both kinds of references are read from `server`."""
    return Settings.model_validate(
        {
            "store_endpoint": server.endpoint,
            "store_key": server.key,
            "store_secret": server.secret,
            "gs_endpoint": server.endpoint,
            "gs_key": server.key,
            "gs_secret": server.secret,
            "allowed_buckets": f"s3://{BUCKET}, gs://{BUCKET}",
            **changes,
        }
    )


@pytest.mark.parametrize("scheme", ["s3", "gs", "S3"])
def test_an_object_is_read(server: S3Server, scheme: str) -> None:
    """Whatever its key has in it, whole, with the type that it was stored with."""
    for key in KEYS:
        fetched = fetch_url(f"{scheme}://{BUCKET}/{key}", settings_for(server))
        with fetched.body as body:
            assert body.read() == PICTURE
        assert fetched.content_type == "image/png"


@pytest.mark.parametrize(
    "reference",
    [
        "s3://another/secret",
        "gs://another/secret",
        f"s3://{BUCKET}/../another/secret",
        f"s3://{BUCKET}/x/../../another/secret",
        f"s3://{BUCKET}/./photo.png",
        f"s3://{BUCKET}/..\\another\\secret",
        f"s3://{BUCKET}",
        f"s3://{BUCKET}/",
        f"s3://{BUCKET}/folder/",
        f"s3:///{BUCKET}/photo.png",
        "s3://",
        f"s3:// {BUCKET}/photo.png",
        f"s3://{BUCKET}@another/secret",
        f"s3://key:secret@{BUCKET}/photo.png",
        f"s3://{BUCKET}:80/photo.png",
        f"s3://{BUCKET}?x/photo.png",
        f"s3://{BUCKET}%2f..%2fanother/secret",
        "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/mine/photo.png",
        f"s3://{BUCKET.upper()}/photo.png",
        f"s3://{BUCKET}/nul\0",
        f"s3://{BUCKET}/new\nline",
        f"s3://{BUCKET}/lone\ud800surrogate",
        f"s3://{BUCKET}/{'long' * 257}",
        "s3://127.0.0.1/photo.png",
        f"s4://{BUCKET}/photo.png",
        f" s3://{BUCKET}/photo.png",
        f"s3:{BUCKET}/photo.png",
        f"file://{BUCKET}/photo.png",
    ],
)
def test_other_references_reach_nothing(reference: str) -> None:
    """Other buckets, parts that lead out, empty keys, other servers: bad input, nothing sent."""
    server = {"store_endpoint": "http://127.0.0.1:1", "store_key": "k", "store_secret": "s"}
    settings = Settings.model_validate(server | {"allowed_buckets": f"s3://{BUCKET}"})
    with pytest.raises(BadInput):
        fetch_url(reference, settings)


def test_none_is_read_unless_allowed() -> None:
    """By default there are no buckets, and the message says which setting has them."""
    with pytest.raises(BadInput, match="HMA_ALLOWED_BUCKETS"):
        fetch_url(f"s3://{BUCKET}/photo.png", Settings())


@pytest.mark.parametrize(
    "key", ["../another/secret", "%2e%2e/another/secret", "..%2fanother/secret"]
)
def test_a_key_never_leads_to_another_bucket(server: S3Server, key: str) -> None:
    """Not in any encoding that the server may undo."""
    with pytest.raises(BadInput):
        fetch_url(f"s3://{BUCKET}/{key}", settings_for(server))


def test_what_is_missing_or_forbidden_is_bad_input(server: S3Server) -> None:
    """One message for both, without address, key or signature in it."""
    for reference, changes in (
        (f"s3://{BUCKET}/none", {}),
        (f"s3://{BUCKET}/photo.png", {"store_secret": "another one"}),
        (f"gs://{BUCKET}/photo.png", {"gs_key": "nobody"}),
    ):
        with pytest.raises(BadInput, match="there is no such object, or it may not be read"):
            fetch_url(reference, settings_for(server, **changes))


def test_an_object_is_read_within_the_limits(server: S3Server) -> None:
    """An object that is too large is refused as a file from anywhere is."""
    exact = settings_for(server, max_fetch_bytes=len(PICTURE))
    fetch_url(f"s3://{BUCKET}/photo.png", exact).body.close()
    with pytest.raises(TooLarge):
        fetch_url(
            f"s3://{BUCKET}/photo.png", settings_for(server, max_fetch_bytes=len(PICTURE) - 1)
        )


@pytest.mark.parametrize("status", [0, 301, 302, 307, 500, 503])
def test_a_store_in_trouble_is_not_the_sender_s_mistake(seaweedfs: S3Server, status: int) -> None:
    """It is unavailable; a redirect of its is not followed, and nothing of its answer is told."""

    def trouble(request: Request, forward: Forward) -> Answer:
        return Answer(status, {"Location": "http://127.0.0.1:1/secret"}, b"secret")

    with relay(seaweedfs, trouble) as broken, pytest.raises(StoreUnavailable) as caught:
        fetch_url(f"s3://{BUCKET}/photo.png", settings_for(broken))
    assert "127.0.0.1" not in caught.value.message
    assert "Signature" not in caught.value.message


def test_a_store_that_is_not_there_is_unavailable() -> None:
    """Whether its port is closed or its name is unknown."""
    for endpoint in ("http://127.0.0.1:1", "http://no-such-host.invalid"):
        server = {"store_endpoint": endpoint, "store_key": "k", "store_secret": "s"}
        settings = Settings.model_validate(server | {"allowed_buckets": f"s3://{BUCKET}"})
        with pytest.raises(StoreUnavailable):
            fetch_url(f"s3://{BUCKET}/photo.png", settings)


def test_missing_keys_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the operator: gs:// needs an HMAC key of its own, s3:// has AWS's chain."""
    settings = Settings.model_validate({"allowed_buckets": f"gs://{BUCKET}, s3://{BUCKET}"})
    with pytest.raises(Misconfigured, match="HMA_GS_KEY"):
        fetch_url(f"gs://{BUCKET}/photo.png", settings)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(HmaError, match="HMA_STORE_KEY"):
        fetch_url(f"s3://{BUCKET}/photo.png", settings)
