"""Which reference a bundle brings, fetched while nobody waits."""

import threading
import time
from pathlib import Path

import pytest

from lipsol.errors import NotFound, Transient
from services.monitor.references import RETRY_S, Away, References
from tests.services_made import MadeRegistry

PATIENCE_S = 20.0


class Slow(MadeRegistry):
    """Holds whoever asks, and then has what it is told to."""

    def __init__(self):
        super().__init__()
        self.go_on, self.asked, self.fault = threading.Event(), 0, None

    def path(self, digest):
        self.asked += 1
        assert self.go_on.wait(PATIENCE_S)
        if self.fault:
            raise self.fault
        return Path(digest)


class Bundles(dict):
    """File -> the reference that it brings."""

    def opened(self, path):
        return self.get(str(path))


def settle(known, digest):
    until(lambda: known.of(digest) != "loading")
    return known.of(digest)


def until(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_asks_does_not_wait_and_a_bundle_is_opened_once(clock):
    reference = object()
    registry = Slow()
    known = References(registry, clock.now, Bundles({"5": reference}).opened)
    assert [known.of("5") for _ in range(5)] == ["loading"] * 5
    registry.go_on.set()
    assert settle(known, "5") is reference
    assert registry.asked == 1


def test_a_bundle_that_brings_none_is_not_asked_again(clock):
    registry = Slow()
    registry.go_on.set()
    known = References(registry, clock.now, Bundles().opened)
    assert known.load("6") == "none"
    clock.advance(10 * RETRY_S)
    assert (known.of("6"), registry.asked) == ("none", 1)


@pytest.mark.parametrize(
    "fault", [Transient("the registry is away", "wait"), NotFound("no such bundle", "register it")]
)
def test_a_registry_that_cannot_tell_is_asked_again_later(clock, fault):
    reference = object()
    registry = Slow()
    registry.go_on.set()
    registry.fault = fault
    known = References(registry, clock.now, Bundles({"5": reference}).opened)
    away = Away(fault.detail)
    assert (known.load("5"), known.of("5"), registry.asked) == (away, away, 1)
    registry.fault = None
    registry.go_on.clear()
    clock.advance(RETRY_S + 1)
    assert known.of("5") == away, "until it answers"
    registry.go_on.set()
    until(lambda: known.of("5") is reference)
