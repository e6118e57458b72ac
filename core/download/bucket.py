"""References to objects in buckets, `s3://bucket/key` and `gs://bucket/key`, as URLs to fetch.

A reference is turned into a URL that is signed for reading this one object, for a minute. Whoever
asks chooses neither the server nor whose permission is used: both are of the settings, and so is
the list of the buckets that may be read. Google Cloud Storage is asked in S3's manner, which it
understands, with an HMAC key.

Signing sends nothing to the store: what the URL leads to is read by `core.download.fetch_url`.
"""

import functools
import re
from typing import TYPE_CHECKING

from core.errors import BadInput, Misconfigured, Unavailable
from core.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEMES = ("s3", "gs")

LONGEST_KEY = 1024
"""Bytes of an object's key, which is as many as S3 and Google Cloud Storage take."""

SIGNED_SECONDS = 60


def is_reference(url: str) -> bool:
    """Whether `url` names an object in a bucket, and not what a web server has."""
    return url.partition("://")[0].lower() in SCHEMES


def sign_reference(reference: str, settings: Settings) -> str:
    """A URL at which the object can be read for a minute, and a secret as long as that.

    Raises:
        BadInput: it is no reference to one object, or its bucket is not in the settings' list.
        Misconfigured: the bucket is in the list, but boto3 is not installed, or there are no keys.
        Unavailable: this machine's own keys cannot be had now.
    """
    scheme, bucket, key = _parse_reference(reference)
    if f"{scheme}://{bucket}" not in settings.allowed_buckets:
        raise BadInput(f"{scheme}:// references are taken to the buckets in HMA_ALLOWED_BUCKETS")
    if scheme == "gs":
        if not settings.gs_key or not settings.gs_secret:
            raise Misconfigured("gs:// needs an HMAC key: HMA_GS_KEY and HMA_GS_SECRET are not set")
        client = _make_client(settings.gs_endpoint, settings.gs_key, settings.gs_secret)
    else:
        client = _make_client(settings.store_endpoint, settings.store_key, settings.store_secret)
    from botocore.exceptions import BotoCoreError, NoCredentialsError  # noqa: PLC0415

    try:
        return client.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=SIGNED_SECONDS
        )
    except NoCredentialsError as error:
        raise Misconfigured(f"{scheme}:// needs keys: set HMA_STORE_KEY or AWS_*") from error
    except BotoCoreError as error:  # a metadata service that does not answer, say
        raise Unavailable(f"{scheme}:// cannot be read now: {type(error).__name__}") from error


def _parse_reference(reference: str) -> tuple[str, str, str]:
    """Scheme, bucket and key. The key is taken as it is written: `%`, `?` and `#` mean nothing."""
    scheme, _, rest = reference.partition("://")
    bucket, _, key = rest.partition("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", bucket):
        raise BadInput("a reference is s3://bucket/key or gs://bucket/key, with a bucket's name")
    if not key or key.endswith("/"):
        raise BadInput("a reference names one object: s3://bucket/key")
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise BadInput("an object's key is text in UTF-8") from error
    if size > LONGEST_KEY:
        raise BadInput(f"an object's key has {LONGEST_KEY} bytes at most")
    # Servers that tidy paths would look into another bucket.
    if any(part in (".", "..") for part in re.split(r"[/\\]", key)):
        raise BadInput("an object's key has no parts . and ..")
    if re.search(r"[\x00-\x1f\x7f]", key):
        raise BadInput("an object's key has no control characters")
    return scheme.lower(), bucket, key


@functools.cache
def _make_client(endpoint: str | None, key: str | None, secret: str | None) -> "S3Client":
    """A client that signs; it takes a third of a second to make, and is used by all threads."""
    try:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise Misconfigured(
            "s3:// and gs:// need boto3: pip install 'hma-functions[s3]'"
        ) from error
    config = Config(
        signature_version="s3v4",
        # Only AWS surely has a host for each bucket.
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    session = boto3.session.Session()
    return session.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name=session.region_name or "us-east-1",
        config=config,
    )
