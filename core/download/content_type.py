"""What a web server says that it sent, as a content type."""

from core.errors import BadInput


def read_content_type(header: str | None) -> str:
    """The content type that an HTTP `Content-Type` stands for.

    Raises:
        BadInput: it is neither an image nor a video, or absent.
    """
    for start, content_type in ("image", "photo"), ("video", "video"):
        if header and header.lower().startswith(start):
            return content_type
    raise BadInput(
        f"unsupported url ContentType: '{header or ''}', if you know the expected type, "
        "provide it with the content_type query param"
    )
