"""The catalog that a command works on itself, not through a server, which may run meanwhile."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Misconfigured
from core.settings import Settings

if TYPE_CHECKING:
    from core.services import Services


def open_services(data: Path, *, new: bool) -> "Services":
    """Those of the settings, or of the catalog in `data`, which is made if `new`.

    Raises:
        Misconfigured: there is no catalog, or its folder cannot be made.
    """
    from core.services import Services

    settings = Settings.from_env()
    if settings.database_url is not None:
        return Services(settings)
    catalog = data.resolve() / "catalog.db"
    if not new and not catalog.exists():
        raise Misconfigured(
            f"there is no catalog in {data}: say where with --data or HMA_DATABASE_URL"
        )
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{data} cannot be used: {error.strerror}") from error
    explicit = settings.model_dump(include=settings.model_fields_set)
    return Services(Settings(**explicit, database_url=f"sqlite:///{catalog}"))
