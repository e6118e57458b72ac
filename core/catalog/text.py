"""Which text both databases and the index can hold."""


def storable(text: str) -> bool:
    """Whether it is UTF-8 (JSON smuggles in lone surrogates) without NUL (PostgreSQL has none)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
