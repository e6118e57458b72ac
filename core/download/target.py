"""A URL as the request that it stands for: scheme, host, port and path, read in one way.

Readers of URLs differ, and what one checks another may take for a different host; so a URL is read
here once, into parts that need no reading anew. Knows no network: which addresses a host has, and
which of them may be asked, is in `address`.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from core.errors import BadInput


@dataclass(frozen=True)
class Target:
    """What one request asks for, and of whom.

    Attributes:
        host: in ASCII and lower case; an IPv6 address without brackets.
        path: with its query, percent-encoded.
    """

    secure: bool
    host: str
    port: int
    path: str


def parse_target(url: str) -> Target:
    """The request that `url` stands for.

    Raises:
        BadInput: it is none, has another scheme, or has a user's name or password in it.
    """
    if re.search(r"[\x00-\x20\x7f\\]", url):  # some readers drop these, others stop at them
        raise unsafe_url()
    try:
        parts = urlsplit(url)
        host, port = _normalise_host(parts.hostname or ""), parts.port
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    except ValueError as error:
        raise unsafe_url() from error
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or port == 0:
        raise unsafe_url()
    secure = parts.scheme == "https"
    path += f"?{query}" if query else ""
    return Target(secure, host, port or (443 if secure else 80), path)


def _normalise_host(name: str) -> str:
    """`name` in ASCII: an IPv6 address, or labels with dots, among them IPv4 in all its forms."""
    if ":" in name:
        if "%" in name:
            raise ValueError("an address with a zone is of this machine")
        return str(ipaddress.IPv6Address(name))
    ascii_name = name.encode("idna").decode().lower().rstrip(".")
    if any(unicodedata.category(character) == "Cn" for character in name):
        raise ValueError("characters that do not exist")  # the codec lets them pass
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", ascii_name):
        raise ValueError("not a name of a host")
    return ascii_name


def unsafe_url() -> BadInput:
    """The one answer for every URL that may not be asked: which check refused it is not told."""
    return BadInput("Invalid or unsafe URL provided")
