"""The addresses of a host, and whether they may be asked: public ones, or those of allowed hosts.

Knows nothing of URLs but the target that was read from one, and sends nothing but questions to the
resolver.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias

from core.download.deadline import seconds_left
from core.download.target import Target, unsafe_url
from core.settings import Settings

Address: TypeAlias = tuple[int, int, int, str, Any]
"""As `socket.getaddrinfo` returns it; last the address and port, in the form of its family."""

Resolve: TypeAlias = Callable[[str, int], Sequence[Address]]
"""From the name and port of a host to its addresses; raises as `socket.getaddrinfo` does."""

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")

# Global by the registry, but a door to other networks or to the machine's own cloud.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's own services, as seen from its machines
        "192.0.0.0/24",  # protocol assignments; Oracle's instance metadata among them
        "192.88.99.0/24",  # relays to 6to4
        "2001::/23",  # protocol assignments: Teredo, which holds an IPv4 address, and others
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # documentation
    )
)


def resolve_host(host: str, port: int) -> Sequence[Address]:
    """All addresses of a host, by the system's resolver."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def find_allowed_addresses(
    target: Target, settings: Settings, resolve: Resolve, deadline: float
) -> Sequence[Address]:
    """The addresses of `target`, all of which may be fetched from.

    Raises:
        BadInput: its host is not on the settings' list, or there is no list and one of them is not
            public.
        ConnectionError: there is no such host.
        TimeoutError: the resolver did not answer in time.
    """
    allowed = {name.lower().rstrip(".") for name in settings.allowed_hostnames}
    if allowed and target.host not in allowed:
        raise unsafe_url()
    addresses = resolve_addresses(target, resolve, deadline)
    if not allowed and not all(is_public(address[4][0]) for address in addresses):
        raise unsafe_url()
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is of the public Internet, and holds no other address within it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast:
        return False
    if ip.version == 6 and ip not in _PUBLIC_V6:  # as mapped, translated, site-local ones are
        return False
    return not any(ip in network for network in _REFUSED if network.version == ip.version)


def resolve_addresses(target: Target, resolve: Resolve, deadline: float) -> Sequence[Address]:
    """The addresses of `target`, whichever they are.

    They are asked for in a thread of its own, since the system's resolver knows no deadline.

    Raises:
        ConnectionError: there is no such host.
        TimeoutError: the resolver did not answer in time.
    """
    answer: Future[Sequence[Address]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(target.host, target.port))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        addresses = answer.result(timeout=seconds_left(deadline))
    except socket.gaierror as error:
        raise ConnectionError(f"there is no host {target.host!r}") from error
    if not addresses:
        raise ConnectionError(f"there is no host {target.host!r}")
    return addresses
