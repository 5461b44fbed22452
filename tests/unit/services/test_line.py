"""The law of the line before a network: who goes next, with whom, and when. By a clock that the tests move."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipsol.engine import bucket_of
from services.inference.line import Batching, Line

SECOND = 25  # frames
FRAME_S = 0.0001  # that the network of these tests takes for a frame, padding counted


@dataclass(frozen=True, eq=False)
class Clip:
    frames: int
    since: float


@dataclass
class Network:
    """A network that takes its time, behind a line: plays arrivals through and notes when each clip began."""

    batching: Batching = field(default_factory=Batching)
    began: dict[Clip, float] = field(default_factory=dict)
    batches: list[list[Clip]] = field(default_factory=list)

    def play(self, arrivals):
        """arrivals: (when, frames), rising. Every clip is read in the end, or this does not end."""
        line, now = Line(self.batching), 0.0
        free_at = {"short": 0.0, "long": 0.0}
        coming = [Clip(frames, when) for when, frames in arrivals]
        while coming or len(line):
            while coming and coming[0].since <= now:
                line.put([coming.pop(0)], now)
            for lane, free in list(free_at.items()):
                due_at = line.due_at(lane)
                if due_at is not None and max(due_at, free) <= now:
                    free_at[lane] = now + self._take(line, lane, now)
            starts = [max(at, free) for lane, free in free_at.items() if (at := line.due_at(lane)) is not None]
            now = max(now, min([*starts, *(clip.since for clip in coming[:1])], default=now))
        return self

    def _take(self, line, lane, now):
        batch = line.take(lane)
        self.batches.append(batch)
        self.began |= dict.fromkeys(batch, now)
        return len(batch) * max(clip.frames for clip in batch) * FRAME_S

    def waited(self, *, frames):
        return [at - clip.since for clip, at in self.began.items() if clip.frames == frames]


def put(line, *frames, now=0.0):
    line.put([Clip(each, now) for each in frames], now)


def busy_with(line, gap_s):
    """Let clips come and go, one each gap; when the next one would come."""
    for n in range(100):
        put(line, 75, now=n * gap_s)
        line.take("short")
    return 100 * gap_s


def test_clips_of_one_bucket_go_together_and_the_bucket_with_the_oldest_first():
    line = Line(Batching(clips=4))
    for when, frames in enumerate((75, 30, 60, 74, 40, 75, 70)):
        put(line, frames, now=float(when))
    taken = [[clip.frames for clip in line.take("short")] for _ in range(4)]
    assert taken == [[75, 60, 74, 75], [30, 40], [70], []]


@given(st.lists(st.integers(2, 2000), min_size=1, max_size=60))
def test_no_batch_is_larger_than_its_bounds_and_none_is_padded_beyond_its_bucket(lengths):
    batching = Batching(clips=8, frames=1200)
    for batch in Network(batching).play([(n * 1e-4, frames) for n, frames in enumerate(lengths)]).batches:
        assert len({bucket_of(clip.frames) for clip in batch}) == 1
        assert len(batch) == 1 or (len(batch) <= 8 and len(batch) * bucket_of(batch[0].frames) <= 1200)


@given(st.lists(st.tuples(st.floats(0, 0.05), st.integers(2, 750)), min_size=1, max_size=60))
def test_every_batch_begins_with_what_has_waited_longest_so_no_length_starves(arrivals):
    when, clips = 0.0, []
    for gap, frames in arrivals:
        when += gap
        clips.append((when, frames))
    network = Network().play(clips)
    left = set(network.began)
    assert len(left) == len(clips)
    for batch in network.batches:
        assert min(clip.since for clip in batch) == min(clip.since for clip in left)
        left -= set(batch)


def test_a_long_clip_among_a_flood_of_short_ones_waits_for_no_more_than_what_came_before_it():
    flood = [(n * 0.006, 75) for n in range(400)]  # each costs 7.5 ms: more than there is time for
    network = Network().play(sorted([*flood, (1.0, 700)]))
    (waited,) = network.waited(frames=700)
    before = sum(1 for at, _ in flood if at <= 1.0) * 75 * FRAME_S - 1.0
    assert waited <= before + 8 * 75 * FRAME_S


def test_the_longest_clips_keep_nobody_waiting_and_wait_for_nobody_but_their_like():
    calm = [(n * 0.05, 75) for n in range(100)]
    alone = max(Network().play(calm).waited(frames=75))
    network = Network().play(sorted([*calm, (0.2, 600 * SECOND), (0.3, 600 * SECOND)]))
    assert max(network.waited(frames=75)) == alone
    assert sorted(network.waited(frames=600 * SECOND)) == pytest.approx([0.0, 600 * SECOND * FRAME_S - 0.1])


def test_a_lone_clip_begins_at_once():
    network = Network(Batching(wait_s=0.01)).play([(n * 0.5, 75) for n in range(20)])
    assert network.waited(frames=75) == [0.0] * 20


@pytest.mark.parametrize(("wait_s", "first"), [(0.0, 1), (0.004, 4)], ids=["never", "for a while"])
def test_clips_that_come_in_quick_succession_wait_for_each_other_if_they_may(wait_s, first):
    line = Line(Batching(clips=4, wait_s=wait_s))
    came = busy_with(line, 0.001)
    put(line, 75, now=came)
    for n in range(1, 4):
        if line.due_at("short") <= came + (n - 1) * 0.001:
            break
        put(line, 75, now=came + n * 0.001)
    assert len(line.take("short")) == first


def test_nobody_waits_for_company_longer_than_he_may():
    line = Line(Batching(clips=64, wait_s=0.004))
    came = busy_with(line, 0.001)
    for n in range(6):
        put(line, 75, now=came + n * 0.001)
    assert line.due_at("short") == pytest.approx(came + 0.004)


def test_after_a_pause_nobody_waits():
    line = Line(Batching(wait_s=0.004))
    came = busy_with(line, 0.001) + 1.0
    put(line, 75, now=came)
    assert line.due_at("short") == came


def test_who_expects_company_waits_until_it_is_there_or_does_not_come():
    line = Line(Batching(clips=2, wait_s=0.1))
    came = busy_with(line, 0.01)
    put(line, 75, now=came)
    assert line.due_at("short") == pytest.approx(came + 2 * 0.01)
    put(line, 75, now=came + 0.01)
    assert line.due_at("short") == came  # both are there: nothing to wait for


def test_what_is_dropped_is_never_taken():
    line = Line(Batching())
    put(line, 75, 75, 20)
    first, second, third = line.all()
    line.drop([second])
    assert len(line) == 2
    assert {id(clip) for clip in (*line.take("short"), *line.take("short"))} == {id(first), id(third)}
