"""What the routes that change or list the catalog have in common."""

from collections.abc import Callable, Collection
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from starlette.convertors import Convertor, register_url_convertor

from core.catalog import Catalog
from functions.web.answer import at
from functions.web.dependencies import AppLimits, AppServices, in_thread
from functions.web.publishing import Publishing

T = TypeVar("T")


class ContentId(Convertor[int]):
    """A path segment that is a content id. What is none makes the path an unknown one."""

    regex = "[0-9]{1,4000}"  # more digits than these `int` refuses

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", ContentId())


class Curator:
    """The catalog as a handler uses it: asked in a thread, and published after a change."""

    def __init__(self, request: Request, services: AppServices, limits: AppLimits) -> None:
        self.services = services
        self.limits = limits
        self._publishing: Publishing = request.app.state.publishing

    async def ask(self, question: Callable[[Catalog], T]) -> T:
        return await in_thread(self.limits.catalog, lambda: question(self.services.catalog))

    async def publish(self, signal_types: Collection[str] | None = None) -> dict[str, str]:
        """Publish what was committed; the header that names its snapshots, if that worked."""
        enabled = self.services.signal_types.enabled()
        names = [name for name in enabled if signal_types is None or name in signal_types]
        return at(await self._publishing.publish(self.services, names))


Curating = Annotated[Curator, Depends()]
