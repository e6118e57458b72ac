from pathlib import Path

import pytest

from tests.deployment import Deployment, settings_for


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(settings_for(tmp_path, refresh_seconds=1e-9))
