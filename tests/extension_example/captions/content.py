from threatexchange.content_type.content_base import ContentType


class CaptionContent(ContentType):  # type: ignore[misc]
    """The words beneath a picture, as a text file."""
