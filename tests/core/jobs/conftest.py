"""The jobs of a deployment with a scripted exchange, over both databases."""

from tests.core.catalog.conftest import kind, url  # noqa: F401  # fixtures
from tests.core.exchanges.conftest import deploy, script, services  # noqa: F401  # fixtures
