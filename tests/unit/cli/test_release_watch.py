import io
from contextlib import nullcontext

import pytest
from rich.console import Console

from lipsol.bus.memory import MemoryBus
from lipsol.errors import Transient
from lipsol.store.local import LocalStore
from services.cli.release_view import picture
from services.cli.release_watch import Lines, Watch, run_watch
from services.operating.operations import Operations
from services.operating.rollouts import SILENT_S
from tests.rollouts_made import FINE, SLOWER, Analyst


class Platform(Operations):
    """Operations that can be away."""

    away = False

    def rollouts(self, **named):
        if self.away:
            raise Transient("the broker is away", "try again")
        return super().rollouts(**named)


@pytest.fixture
def platform(tmp_path, clock):
    bus = MemoryBus(now=clock.now)
    yield Platform(bus, LocalStore(tmp_path), None, clock.now)
    bus.close()


@pytest.fixture
def analyst(platform, clock):
    return Analyst(platform.bus, clock)


@pytest.fixture
def watch(platform, clock, capsys):
    """Watch, with what happens between the looks: the exit code and what was printed."""

    def watched(*happens, once=False, shown=None):
        left = iter(happens)

        def pause(_):
            clock.advance(1.0)
            next(left)()

        code = run_watch(
            "",
            once=once,
            platform=lambda: nullcontext(platform),
            pause=pause,
            shown=shown or (lambda: nullcontext(Lines())),
            now=clock.now,
        )
        assert next(left, None) is None, "it ended too early"
        return code, capsys.readouterr().out

    return watched


def tells(analyst, *looks):
    """Happenings: each a look of an analyst."""
    return [lambda look=look: analyst.tell(*look) for look in looks]


def test_a_rollout_is_told_line_by_line_until_it_passed(analyst, watch):
    last = ("pass", "all 4 steps are passed", (FINE,))
    steps = [("advance", "on", (FINE,))] * 3
    code, told = watch(*tells(analyst, ("began",), ("hold", "10 of 50 readings"), *steps, last))
    assert code == 0
    lines = told.splitlines()
    assert lines[0] == "traffic  all is read by stable"
    assert "waits    for a rollout to begin" in lines
    assert "release  lipsol revision 7: bundle 3fa93fa93fa9, by way canary, in 4 steps" in lines
    assert [line for line in lines if line.startswith("begins")] == [
        "begins   step 1 of 4 (shadow 100 %)", "begins   step 2 of 4 (canary 5 %)",
        "begins   step 3 of 4 (canary 50 %)", "begins   step 4 of 4 (canary 100 %)",
    ]  # fmt: skip
    assert sum(line.startswith("passed ") for line in lines) == 4
    assert lines[-1].startswith("release  lipsol revision 7: passed at")


@pytest.mark.parametrize("end", ["abort", "stood-down"])
def test_one_that_was_ended_gives_exit_code_one_and_its_reason(analyst, watch, end):
    code, told = watch(*tells(analyst, ("began",), (end, "so it is", (SLOWER,))))
    assert code == 1
    assert "because  so it is" in told


def test_what_has_not_changed_is_not_said_again(analyst, watch):
    again = [("hold", "10 of 50 readings")] * 5
    _, told = watch(*tells(analyst, ("began",), *again, ("abort", "worse")))
    assert told.count("10 of 50 readings") == 1
    assert told.count("release  lipsol revision 7: bundle") == 1


def test_the_weights_are_told_as_they_are_set(platform, analyst, watch):
    def weigh(weight):
        return lambda: platform.set_traffic("canary", weight, 60.0, set_by="analyst lipsol v7")

    _, told = watch(*tells(analyst, ("began",)), weigh(5.0), weigh(50.0), *tells(analyst, ("abort", "worse")))
    assert told.index("canary: 5 % of the sessions") < told.index("canary: 50 % of the sessions")


def test_the_one_under_way_is_watched_and_not_one_that_begins_elsewhere(platform, clock, analyst, watch):
    analyst.through(1)
    other = Analyst(platform.bus, clock, "other")
    code, told = watch(*tells(other, ("began",), ("abort", "worse")), *tells(analyst, ("pass", "fine")))
    assert (code, "other" in told) == (0, False)


def test_one_that_is_over_is_named_and_the_next_is_waited_for(platform, clock, analyst, watch):
    analyst.through(2)
    analyst.tell("abort", "worse")
    following = Analyst(platform.bus, clock, revision=8, began_at=clock.now() + 2.0)
    code, told = watch(lambda: None, *tells(following, ("began",), ("pass", "fine")))
    assert code == 0
    assert told.index("before   lipsol revision 7: aborted") < told.index("release  lipsol revision 8: bundle")


@pytest.mark.parametrize(
    ("looks", "code", "told"),
    [
        ((), 0, "no rollout of any release is known"),
        ((("began",),), 0, "begins   step 1"),
        ((("began",), ("pass", "fine")), 0, "before   lipsol revision 7: passed"),
        ((("began",), ("abort", "worse")), 1, "before   lipsol revision 7: aborted"),
    ],
    ids=["none", "under way", "passed", "aborted"],
)
def test_once_shows_how_it_stands_and_ends(analyst, watch, looks, code, told):
    for look in looks:
        analyst.tell(*look)
    ended, shown = watch(once=True)
    assert (ended, told in shown) == (code, True)


def test_silence_is_told_once_and_that_it_speaks_again_goes_on(platform, clock, analyst, watch):
    analyst.through(1)
    silence = [lambda: clock.advance(20.0)] * 3
    code, told = watch(*silence, *tells(analyst, ("hold", "back again"), ("pass", "fine")))
    assert code == 0
    assert told.count("silent   since 2026-11-21 09:01:00 UTC") == 1
    assert told.index("silent ") < told.index("waits    back again")


def test_where_an_analyst_fell_silent_the_next_rollout_of_its_release_is_followed(platform, clock, analyst, watch):
    analyst.through(1)
    clock.advance(40.0)
    following = Analyst(platform.bus, clock, revision=8)
    code, told = watch(*tells(following, ("began",), ("pass", "fine")))
    assert code == 0
    assert told.count("begins   step 1 of 4") == 2
    assert told.index("silent ") < told.index("release  lipsol revision 8: bundle")


def test_an_analyst_that_never_comes_back_is_given_up_after_its_deadline(clock, analyst, watch):
    analyst.through(1)
    code, told = watch(lambda: clock.advance(40.0), lambda: clock.advance(7200.0))
    assert code == 1
    assert "lost: its analyst told no verdict" in told


def test_a_shadow_that_was_observed_is_no_fault(platform, clock, watch):
    analyst = Analyst(platform.bus, clock, way="shadow")
    code, told = watch(*tells(analyst, ("began",), ("pass", "all is passed")))
    assert (code, "observed at" in told) == (0, True)


def test_a_rollout_that_a_rollback_ended_is_over(analyst, watch):
    analyst.through(1)
    code, told = watch(*tells(analyst, ("handed-back", "before a rollback")))
    assert code == 1
    assert "all was given back to stable" in told


def test_a_platform_that_is_away_for_a_while_is_asked_again(platform, analyst, watch):
    analyst.through(1)

    def go(away):
        return lambda: setattr(platform, "away", away)

    code, told = watch(go(True), lambda: None, go(False), *tells(analyst, ("pass", "fine")))
    assert code == 0
    assert told.count("away     the broker is away") == 1


def test_a_platform_that_was_never_reached_is_a_fault(platform, watch):
    platform.away = True
    with pytest.raises(Transient, match="the broker is away"):
        watch()


@pytest.mark.parametrize("wrong_s", [-600.0, 600.0], ids=["behind", "ahead"])
def test_silence_is_measured_by_a_stopwatch_where_this_machines_clock_is_wrong(platform, clock, analyst, wrong_s):
    here = Platform(platform.bus, platform.store, None, lambda: clock.now() + wrong_s)
    following = Watch(here, "", lambda: clock.now() + wrong_s, clock.now)
    analyst.through(1)
    following.look()
    clock.advance(5.0)
    analyst.tell("hold", "going on")
    assert following.look().rollout.state == "under way"
    clock.advance(SILENT_S + 1.0)
    assert following.look().rollout.state == "silent"


def test_on_a_terminal_it_is_one_picture_with_steps_evidence_and_verdict(platform, analyst, watch):
    screen = Console(file=io.StringIO(), force_terminal=True, width=150, height=50, color_system=None)

    analyst.through(1)
    platform.set_traffic("canary", 5.0, 60.0, set_by="analyst lipsol v7")
    analyst.clips = 70
    looks = [("hold", "70 of [100] readings", (FINE,)), ("abort", "latency is worse", (FINE, SLOWER))]
    code, _ = watch(*tells(analyst, *looks), shown=lambda: picture(screen))
    assert code == 1
    drawn = screen.file.getvalue()
    for part in (
        "canary: 5 % of the sessions", "lipsol revision 7, in namespace clinic", "1 of 4  100 %, in shadow",
        "2 of 4  5 %", "2 more", "70 of [100] readings", "602 ms against 403 ms", "1.35 to 1.65 times as long",
        "aborted at 2026-11-21",
    ):  # fmt: skip
        assert part in drawn


def test_a_picture_of_nothing_says_what_is_waited_for(watch):
    screen = Console(file=io.StringIO(), force_terminal=True, width=150, color_system=None)
    watch(once=True, shown=lambda: picture(screen))
    assert "for a rollout to begin" in screen.file.getvalue()
