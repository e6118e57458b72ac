"""An HTTP connection to an address that was checked, under the name of its host, until a deadline.

Knows nothing of which addresses may be asked.
"""

import functools
import http.client
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from core.download.address import Address
from core.download.deadline import seconds_left
from core.download.target import Target


class PinnedConnection(http.client.HTTPConnection):
    """A connection to the first address that answers, whatever the name of the host says by now."""

    def __init__(self, target: Target, addresses: Sequence[Address], deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443 if target.secure else 80  # which the Host header leaves out
        self._target = target
        self._addresses = addresses
        self._deadline = deadline

    def connect(self) -> None:
        plain = self._connect_to_any()
        self.sock = self._secure(plain) if self._target.secure else plain

    def _connect_to_any(self) -> "_Socket":
        failures: list[OSError] = []
        for address in self._addresses:
            try:
                return self._connect_to(address)
            except OSError as error:
                failures.append(error)
        raise failures[-1]

    def _connect_to(self, address: Address) -> "_Socket":
        family, kind, protocol, _, place = address
        plain = _Socket(family, kind, protocol)
        plain.deadline = self._deadline
        try:
            plain.settimeout(seconds_left(self._deadline))
            plain.connect(place)
        except OSError:
            plain.close()
            raise
        return plain

    def _secure(self, plain: "_Socket") -> "_SecureSocket":
        plain.settimeout(seconds_left(self._deadline))
        try:
            secure = _tls().wrap_socket(plain, server_hostname=self._target.host)
        except OSError:
            plain.close()
            raise
        assert isinstance(secure, _SecureSocket)
        secure.deadline = self._deadline
        return secure


class _Socket(socket.socket):
    """A socket whose reads end at `deadline`, however few bytes come at a time."""

    deadline: float

    def recv_into(self, *args: Any) -> int:
        self.settimeout(seconds_left(self.deadline))
        return super().recv_into(*args)


class _SecureSocket(ssl.SSLSocket):
    """A socket over TLS whose reads end at `deadline`."""

    deadline: float

    def recv_into(self, *args: Any) -> int:
        self.settimeout(seconds_left(self.deadline))
        return super().recv_into(*args)


@functools.cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()  # takes 20 ms to read the authorities
    context.sslsocket_class = _SecureSocket
    return context
