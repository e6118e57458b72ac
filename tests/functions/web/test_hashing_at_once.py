"""However many uploads come in at once, no more are hashed together than there are cores."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from threatexchange.content_type.content_base import ContentType
from threatexchange.content_type.photo import PhotoContent
from threatexchange.signal_type.signal_base import BytesHasher, SignalType

from core.services import Services
from core.settings import Settings
from functions import hash as hash_function
from tests.hosted import app_of, hosted

UPLOADS = 64

HOLD_SECONDS = 2.0
"""How long those that are hashed first wait for one too many, once all uploads are there."""


@dataclass
class Work:
    """What is being hashed, and what has come in to be.

    Attributes:
        most: of those hashed at once.
        arrived: uploads that the server has read to their end.
    """

    now: int = 0
    most: int = 0
    arrived: int = 0
    _waited: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def arrive(self) -> None:
        with self._changed:
            self.arrived += 1
            self._changed.notify_all()

    def enter(self, allowed: int) -> None:
        """Be hashed: until all have arrived and one too many has come, or has had time to."""
        with self._changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.arrived == UPLOADS, 60)
            if self.most <= allowed and not self._waited:
                self._changed.wait_for(lambda: self.most > allowed, HOLD_SECONDS)
            self._waited = True
            self.now -= 1


class Held(SignalType, BytesHasher):  # type: ignore[misc]  # threatexchange has no types
    """A signal type whose hashing is counted."""

    work = Work()

    @classmethod
    def get_name(cls) -> str:
        return "held"

    @classmethod
    def get_content_types(cls) -> list[type[ContentType]]:
        return [PhotoContent]

    @classmethod
    def hash_from_bytes(cls, bytes_: bytes) -> str:
        cls.work.enter(_cores())
        return bytes_.hex()


@pytest.fixture
def hashing() -> Iterator[str]:
    """The address of a hash function with that signal type alone."""
    Held.work = Work()
    services = Services(Settings.model_validate({"signal_types": f"{__name__}:Held"}))
    with hosted(_counted(app_of(services, hash_function.router))) as url:
        yield url


def test_of_64_uploads_as_many_are_hashed_at_once_as_there_are_cores(hashing: str) -> None:
    """The rest wait for their turn, and all are answered: each may hold a whole image."""

    def upload(number: int) -> str:
        answer = requests.post(
            f"{hashing}/h/hash", files={"photo": number.to_bytes(1, "big")}, timeout=60
        )
        return str(answer.json()["held"])

    with ThreadPoolExecutor(UPLOADS) as clients:
        signals = list(clients.map(upload, range(UPLOADS)))
    assert signals == [f"{number:02x}" for number in range(UPLOADS)]
    assert Held.work.most == min(_cores(), UPLOADS)


def _cores() -> int:
    return os.cpu_count() or 1


def _counted(app: ASGIApp) -> ASGIApp:
    """`app`, with the bodies counted that it has read to their end."""

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        async def counting() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                Held.work.arrive()
            return message

        await app(scope, counting, send)

    return counted
