"""The platform over stand-ins, served over real HTTP."""

import pytest
import structlog

from tests.services_made import MadePlatform, served, settings_of


@pytest.fixture(autouse=True, scope="module")
def plain_logs():
    """Tests that break things on purpose log it in plain words, not in painted pages."""
    painted = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.configure(**painted)


@pytest.fixture
def made(tmp_path):
    """The stand-ins of a platform; change them before or while it runs."""
    return MadePlatform(settings_of(tmp_path))


@pytest.fixture
def platform(made):
    """A running platform."""
    with made.open() as running:
        yield running


@pytest.fixture
def client(platform):
    """A client of its HTTP door."""
    with served(platform) as connected:
        yield connected
