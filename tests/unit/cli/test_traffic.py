import json
from contextlib import contextmanager

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, NotFound
from lipsol.store.local import LocalStore
from services.cli.traffic import SetOptions, run_abort, run_set, run_show, seconds
from services.operating.operations import Operations
from tests.services_made import MadeRegistry, info_of

WORDS = info_of("grid-words").digest


class Platform:
    """Operations on a bus of their own, and what a terminal shows of them."""

    def __init__(self, folder, clock, capsys):
        self.bus, self.clock, self._capsys = MemoryBus(), clock, capsys
        self.operations = Operations(self.bus, LocalStore(folder), MadeRegistry(), clock.now)

    @contextmanager
    def __call__(self):
        yield self.operations

    def set(self, mode="canary", weight=10.0, canary="", life="60", reason=""):
        run_set(SetOptions(mode, weight, canary, life, reason), platform=self, registry=MadeRegistry())
        return self.shown()

    def show(self, *, as_json=False):
        assert run_show(as_json=as_json, platform=self) == 0
        return self.shown()

    def shown(self):
        return self._capsys.readouterr().out


@pytest.fixture
def platform(tmp_path, clock, capsys):
    made = Platform(tmp_path, clock, capsys)
    yield made
    made.bus.close()


def test_where_nobody_set_anything_one_line_says_so(platform):
    assert platform.show() == "traffic  all is read by stable\n"


def test_a_policy_is_shown_with_its_share_its_bundle_its_end_and_who_set_it(platform):
    told = platform.set(canary="grid-words", reason="new phones")
    assert platform.show() == told
    for part in ("10 % of the sessions", WORDS[:12], "in 1 m", "2026-11-21 09:00:00", "new phones", "@"):
        assert part in told


def test_a_share_in_shadow_says_that_nobody_sees_it(platform):
    assert "nobody sees" in platform.set("shadow", 50.0)


def test_what_nobody_renewed_is_said_to_have_ended(platform, clock):
    platform.set(life="90s")
    clock.advance(91.0)
    told = platform.show()
    assert "all is read by stable" in told
    assert "nobody renewed mode canary" in told
    assert "09:01:30" in told


def test_abort_says_who_and_why(platform, capsys):
    platform.set()
    run_abort("it reads nonsense", platform=platform)
    told = capsys.readouterr().out
    assert told.startswith("traffic  all is read by stable\n")
    assert "it reads nonsense" in told
    assert platform.set("stable", None, life="").startswith("traffic  all is read by stable\n")


def test_as_json_everything_is_told(platform):
    platform.set(canary=WORDS[:8])
    told = json.loads(platform.show(as_json=True))
    assert (told["mode"], told["weight"], told["canary_digest"], told["live"]) == ("canary", 10.0, WORDS, True)
    assert told["expires_in_s"] == 60.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"weight": None}, "without a weight.*--weight"),
        ({"weight": 101.0}, "101 %.*0 to 100"),
        ({"life": ""}, "--for ''.*15m"),
        ({"life": "0"}, "--for '0'"),
        ({"life": "soon"}, "--for 'soon'"),
        ({"life": "2d"}, "at most 86400 s"),
        ({"mode": "blueGreen", "weight": 50.0}, "0 or 100"),
    ],
    ids=str,
)
def test_what_can_not_be_meant_is_refused(platform, given, told):
    with pytest.raises(BadInput, match=told):
        platform.set(**given)
    assert platform.operations.traffic().mode == "stable"


def test_a_bundle_that_is_not_here_is_named_with_those_that_are(platform):
    with pytest.raises(NotFound, match="grid-sentences"):
        platform.set(canary="nonsense")


def test_a_whole_digest_that_only_the_canary_knows_is_taken_and_said(platform, capsys):
    elsewhere = Operations(platform.bus, platform.operations.store, None, platform.clock.now)
    platform.operations = elsewhere
    run_set(SetOptions("canary", 5.0, "0" * 64, "60", ""), platform=platform, registry=MadeRegistry())
    assert "the canary must have it" in capsys.readouterr().err
    assert elsewhere.traffic().canary_digest == "0" * 64


@pytest.mark.parametrize(("told", "meant"), [("60", 60.0), ("90s", 90.0), ("1.5m", 90.0), ("6h", 21600.0)])
def test_how_long_is_told_in_seconds_or_with_a_unit(told, meant):
    assert seconds(told) == meant
