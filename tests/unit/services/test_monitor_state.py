"""What the monitor keeps, and knows again: all of one moment, whatever happened in the midst of it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Outgoing
from lipsol.errors import Transient
from lipsol.events import StateKept
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import WATCH
from services.monitor.group import Group
from services.monitor.observing import judged
from services.monitor.remembering import CHUNK, Memory, named
from services.monitor.state import PAGE, PAGE_MAX, State
from services.monitor.tally import Tally
from services.monitor.windows import Windows
from tests.services_made import SAID, feedback_of, prediction_of

PLACES = {("lipsol.predictions.v1", 3): (41.0, 1_795_251_600.5)}
GROUP = Group("stable", "grid-sentences", "5" * 64, "en")


class DyingBus(MemoryBus):
    """Takes only so many messages of a batch, and then its process dies."""

    takes = 10**9

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        super().publish_all(messages[: self.takes])
        if len(messages) > self.takes:
            raise Transient("killed", "start anew")


@pytest.fixture
def bus():
    opened = DyingBus()
    yield opened
    opened.close()


def opened(bus, clock):
    state = State(bus, "me", Telemetry(), clock.now)
    return state, state.load()[0]


def kept(bus, clock):
    return opened(bus, clock)[1]


def test_what_is_kept_is_known_again(bus, clock):
    state, before = opened(bus, clock)
    assert before is None
    state.keep({"a": b"1", "b": bytes(3 * PAGE_MAX + 7), "empty": b""}, {"a", "b", "empty"}, PLACES)
    found = kept(bus, clock)
    assert (found.parts, found.places) == ({"a": b"1", "b": bytes(3 * PAGE_MAX + 7), "empty": b""}, PLACES)


def test_what_did_not_change_is_not_written_again_and_what_is_gone_is_let_go(bus, clock):
    state, _ = opened(bus, clock)
    state.keep({"a": b"1", "b": b"2"}, {"a", "b"}, PLACES)
    written = len(list(bus.replay([WATCH.name])))
    state.keep({"b": b"3"}, {"b"}, {})
    assert len(list(bus.replay([WATCH.name]))) <= written + 4, "a page, the head, and two pages that are emptied"
    assert (kept(bus, clock).parts, kept(bus, clock).places) == ({"b": b"3"}, {})


def test_what_no_head_names_any_more_is_on_no_page(bus, clock):
    for turn in range(3):
        state, _ = opened(bus, clock)
        for n in range(3):
            state.keep({f"clips/{turn}-{n}": b"a hash of a clip" * (n + 1)}, {f"clips/{turn}-{n}"}, PLACES)
    pages = {message.key: unwrap(message) for message in bus.replay([WATCH.name]) if message.key.startswith(PAGE)}
    assert sum(bool(page.value) for page in pages.values()) == 1
    assert kept(bus, clock).parts == {"clips/2-2": b"a hash of a clip" * 3}


@pytest.mark.parametrize("takes", range(4))
def test_who_dies_in_the_midst_of_keeping_leaves_what_was_kept_before(bus, clock, takes):
    state, _ = opened(bus, clock)
    for old in (b"0", b"1"):
        state.keep({"a": old, "b": old, "c": old}, {"a", "b", "c"}, PLACES)
    bus.takes = takes
    with pytest.raises(Transient):
        state.keep({"a": b"2", "b": b"2", "c": b"2"}, {"a", "b", "c"}, {})
    bus.takes = 10**9
    assert kept(bus, clock).parts == {"a": b"1", "b": b"1", "c": b"1"}
    assert kept(bus, clock).places == PLACES


@pytest.mark.parametrize("takes", range(3))
def test_the_next_process_that_dies_at_its_first_keeping_spoils_nothing_either(bus, clock, takes):
    state, _ = opened(bus, clock)
    state.keep({"a": b"1", "b": b"1"}, {"a", "b"}, PLACES)
    following, _ = opened(bus, clock)
    bus.takes = takes
    with pytest.raises(Transient):
        following.keep({"a": b"2", "b": b"2"}, {"a", "b"}, {})
    bus.takes = 10**9
    assert kept(bus, clock).parts == {"a": b"1", "b": b"1"}


def test_the_topic_does_not_grow_with_time(bus, clock):
    keys = set()
    for turn in range(6):
        state, _ = opened(bus, clock)
        for n in range(10):
            state.keep({f"part-{turn}-{n}": b"1"}, {f"part-{turn}-{n}"}, PLACES)
            keys |= {message.key for message in bus.replay([WATCH.name])}
    assert len(keys) < 8


def test_what_does_not_fit_together_is_passed_over(bus, clock):
    state, _ = opened(bus, clock)
    state.keep({"a": b"1"}, {"a"}, PLACES)
    page = next(m.key for m in bus.replay([WATCH.name]) if m.key.startswith("page/"))
    bus.publish_all([wrap(StateKept(page, "another", b"x", 0.0), "tests", 0.0)])
    with capture_logs() as logs:
        assert kept(bus, clock) is None
    assert [line["event"] for line in logs] == ["state-unfit"]


def test_parts_of_others_are_told_apart(bus, clock):
    state, _ = opened(bus, clock)
    state.keep({"a": b"1"}, {"a"}, PLACES)
    bus.publish_all([wrap(StateKept("reference/x", "another", b"theirs", 0.0), "tests", 0.0)])
    assert state.load() == (kept(bus, clock), {"reference/x": b"theirs"})


def test_what_is_remembered_of_clips_survives_being_kept_part_by_part():
    memory, again = Memory(3 * CHUNK, 1e9), Memory(3 * CHUNK, 1e9)
    parts: dict[str, bytes] = {}
    for n in range(4 * CHUNK + 17):
        clip = memory.take(named(f"clip {n}"), float(n))
        clip.reader, clip.mark = GROUP, b"12345678"
        if n % 7 == 0:
            clip.told, clip.judged = (named("said"),), judged(feedback_of("c", "bin blue"))
            clip.group, clip.window = replace(GROUP, language="ur"), 300.0
        if n % 900 == 0:
            parts |= memory.changed()
    parts |= memory.changed()
    again.restore({name: data for name, data in parts.items() if name in memory.parts()})
    assert (len(again), again.clips) == (len(memory), 3 * CHUNK)
    assert list(again._known.items()) == list(memory._known.items())
    fresh = again.take(named("another"), 1e4)
    assert fresh.serial == 4 * CHUNK + 17
    assert max(map(len, parts.values())) < PAGE_MAX


def test_windows_survive_being_kept():
    windows, again = Windows(300.0, 3600.0), Windows(300.0, 3600.0)
    for n in range(20):
        window = windows.open(300.0 * n, 300.0 * n)
        made = replace(prediction_of("a"), entropy=0.3, codec="vp8")
        window.tally(GROUP).read(made, {"lipsol_brightness_levels": 117.0, "lipsol_entropy_ratio": 0.3})
        window.tally(GROUP).judge(judged(feedback_of("a", SAID)))
        window.refused["dark"] += n
    again.restore(windows.changed())
    assert again.since(0.0) == windows.since(0.0)
    assert again.changed() == {}
    again.held(300.0 * 19)
    assert set(again.changed()) == {"window/5700"}


def test_tallies_add_up_and_tell_quantiles():
    tallies = deque(Tally() for _ in range(3))
    for n in range(300):
        tallies[n % 3].read(prediction_of("a"), {"lipsol_brightness_levels": float(n % 200)})
    total = Tally.of(tallies)
    bright = total.measures["lipsol_brightness_levels"]
    bounds = (20.0, 40.0, 60.0, 80.0, 100.0, 130.0, 160.0, 200.0, 255.0)
    assert (total.counts["readings"], bright.count) == (300, 300)
    assert bright.mean == pytest.approx(sum(n % 200 for n in range(300)) / 300)
    assert bright.quantile(0.5, bounds) == pytest.approx(75, abs=2)
    assert bright.quantile(1.0, bounds) == 200


def test_a_state_to_which_nothing_came_is_as_of_now(bus, clock):
    telemetry = Telemetry()
    state = State(bus, "me", telemetry, clock.now)
    state.keep({"a": b"123"}, {"a"}, PLACES)
    clock.advance(900)
    state.stands()
    assert telemetry.value("lipsol_monitor_state_timestamp_seconds") == clock.now()
    assert telemetry.value("lipsol_monitor_state_bytes") == 3
