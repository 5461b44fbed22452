"""The platform over stand-ins, served over real HTTP."""

import sys

import pytest
import structlog

from tests.services_made import MadePlatform, served, settings_of


@pytest.fixture(autouse=True, scope="module")
def plain_logs():
    """Tests log in plain words, not in painted pages, and past what they capture: nobody is told by the log."""
    painted = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        logger_factory=lambda *_: structlog.PrintLogger(sys.__stderr__),
    )
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
