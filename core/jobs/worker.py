"""What a worker of a rebuild runs, in a process that knows of a deployment only its settings."""

from core.index.publishing.build import Task, TaskResult, build
from core.services import Services
from core.settings import Settings


def build_anywhere(settings: Settings, task: Task) -> TaskResult:
    """Do `task`. Safe to repeat, and at once with others who do the same one.

    Raises:
        Misconfigured: the settings name no catalog or no store.
        Unavailable: the catalog or the store does not answer; doing it again may succeed.
    """
    services = Services(settings)
    try:
        return build(services.catalog.source, services.store, services.signal_types, task)
    finally:
        services.catalog.close()
