"""S3 as an fsspec filesystem that can be relied on."""

import hashlib
from base64 import b64encode
from typing import Any

from core.errors import Misconfigured
from core.settings import Settings

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
"""Longest silence of a server. Two attempts, so an unreachable one costs 5 s, a stalled one 11."""


def connect(settings: Settings) -> Any:
    """An s3fs filesystem that remembers no listing, gives up soon and does not look first."""
    try:  # here, for it takes half a second that file:// need not pay
        from aiobotocore.session import AioSession  # noqa: PLC0415
        from botocore.handlers import add_expect_header  # noqa: PLC0415
        from s3fs import S3FileSystem  # noqa: PLC0415
    except ImportError as error:
        raise Misconfigured("s3:// needs s3fs: pip install 'hma-functions[s3]'") from error
    config = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": 2},
        "max_pool_connections": 64,
        # Not every store other than AWS knows the newer checksums.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    session = AioSession()
    # "Expect: 100-continue" costs each write a round trip, and waits for the answer for ever.
    session.unregister("before-call.s3", add_expect_header)
    session.register("before-call.s3", _add_md5)
    filesystem = S3FileSystem(
        session=session,
        endpoint_url=settings.store_endpoint,
        key=settings.store_key,
        secret=settings.store_secret,
        config_kwargs=config,
        max_concurrency=1,  # with more, each read begins with a HEAD request
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    filesystem.retries = 1  # botocore's are enough, and these would multiply them
    return filesystem


def _add_md5(params: dict[str, Any], **_: Any) -> None:
    """Let the store compare what it receives with what we have sent.

    SeaweedFS (4.48) takes a connection lost just before the body for an empty body, and keeps that
    as the object: a writer who is killed there would leave a snapshot that can't be replaced.
    """
    if params["method"] == "PUT":
        body = params["body"]
        digest = hashlib.md5(
            body if isinstance(body, bytes) else body.getbuffer(), usedforsecurity=False
        )
        params["headers"]["Content-MD5"] = b64encode(digest.digest()).decode()


def s3_code(error: BaseException | None) -> str | None:
    """The error code in S3's answer, where s3fs keeps it: in the cause of its own error."""
    response = getattr(getattr(error, "__cause__", None), "response", None)
    return response["Error"].get("Code") if response else None
