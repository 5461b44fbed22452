"""The batcher's threads: what is bounded, what costs no work, what a fault takes with it, how it ends."""

import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from lipsol.clips.embedding import embed
from lipsol.errors import Busy, ModelError, TooLate, Transient
from lipsol.reader import BUNDLE_GRAMMAR
from lipsol.runtime.telemetry import Telemetry
from services.inference.ask import Ask
from services.inference.batcher import Batcher, Place, Waiting
from services.inference.line import Batching
from tests.services_made import SAID, MadeReader, info_of, mouth_of

PATIENCE_S = 30.0
LONG = 800  # frames: beyond the last bucket


class SlowWords(MadeReader):
    """Finds no words until told to."""

    def __init__(self):
        super().__init__()
        self.words = threading.Event()

    def decode(self, heard, grammar):
        assert self.words.wait(PATIENCE_S)
        return super().decode(heard, grammar)


class Desk:
    """A batcher before a made reader."""

    def __init__(self, reader=None, *, room=4, clips=2, lanes=1):
        self.reader, self.telemetry, self.unix = reader or MadeReader(), Telemetry(), 1000.0
        self.search = ThreadPoolExecutor(2)
        place = Place("made", lanes, self.search, lambda: self.unix)
        self.batcher = Batcher(self.reader, Batching(clips=clips, wait_s=0.0, room=room), place, self.telemetry)

    def ask(self, clips=1, *, frames=5, in_turn=False, **asked) -> "list[Future]":
        mouth = mouth_of(frames=frames)
        asks = [Ask(mouth, info_of(), **asked) for _ in range(clips)]
        waiting = [Waiting(ask, BUNDLE_GRAMMAR, time.monotonic()) for ask in asks]
        self.batcher.put(waiting, in_turn=in_turn)
        return [each.future for each in waiting]

    def busy(self):
        """Ask for a clip that stays in the network until `free`."""
        self.reader.hold.clear()
        (future,) = self.ask()
        wait_for(lambda: self.reader.batches)
        return future

    def free(self):
        self.reader.hold.set()

    def abandoned(self, reason):
        return self.telemetry.value("lipsol_abandoned_total", stage="line", reason=reason)


@pytest.fixture
def desk():
    opened = []

    def make(*args, **options):
        opened.append(Desk(*args, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.reader.hold.set()
        assert each.batcher.close(PATIENCE_S)
        each.search.shutdown()


def wait_for(happened):
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.002)


def told(future):
    return future.result(PATIENCE_S)


def test_what_comes_while_the_network_is_busy_is_its_next_batch(desk):
    made = desk(clips=3, room=8)
    first = made.busy()
    others = [future for _ in range(4) for future in made.ask()]
    made.free()
    answers = [told(future) for future in (first, *others)]
    assert made.reader.batches == [1, 3, 1]
    assert [answer.batch for answer in answers] == [1, 3, 3, 3, 1]
    assert {answer.prediction.text for answer in answers} == {SAID}
    assert set(answers[0].timings_ms) == {"wait", "network", "search"}
    assert made.telemetry.value("lipsol_batch_clips") == 3
    assert made.telemetry.value("lipsol_line_clips", model="made") == 0


def test_what_finds_no_room_is_told_when_to_come_back_and_nothing_of_a_group_is_taken(desk):
    made = desk(room=3)
    first = made.busy()
    waiting = made.ask(2)
    with pytest.raises(Busy, match="2 clips wait to be read, 3 may, and 2 more came") as refused:
        made.ask(2)
    assert 0.1 <= refused.value.retry_after_s <= 30
    waiting += made.ask(1)
    made.free()
    assert len([told(future) for future in (first, *waiting)]) == 4


def test_a_group_larger_than_all_the_room_is_taken_when_nothing_waits(desk):
    assert len([told(future) for future in desk(room=2).ask(7)]) == 7


def test_who_may_wait_for_room_gets_it(desk):
    made = desk(room=1)
    first = made.busy()
    (second,) = made.ask()
    third: list[Future] = []
    patient = threading.Thread(target=lambda: third.extend(made.ask(in_turn=True)))
    patient.start()
    assert not third
    made.free()
    patient.join(PATIENCE_S)
    assert [told(future).prediction.text for future in (first, second, *third)] == [SAID] * 3


def test_what_is_past_its_deadline_is_told_so_and_not_read(desk):
    made = desk()
    first = made.busy()
    (late,), (early,) = made.ask(deadline_at=1001.0), made.ask(deadline_at=1003.0)
    made.unix = 1002.0
    made.free()
    with pytest.raises(TooLate, match="deadline"):
        told(late)
    assert told(first) and told(early).batch == 1
    assert sum(made.reader.batches) == 2
    assert made.abandoned("too-late") == 1


def test_what_nobody_waits_for_any_more_is_not_read_and_leaves_room_for_others(desk):
    made = desk(room=3)
    first = made.busy()
    (gone,), (late,), (stays,) = made.ask(), made.ask(deadline_at=1001.0), made.ask()
    assert gone.cancel()
    made.unix = 1002.0
    (fourth,), (fifth,) = made.ask(), made.ask()  # there is room for both
    with pytest.raises(TooLate):
        told(late)
    made.free()
    assert [told(future).batch for future in (first, stays, fourth, fifth)]
    with pytest.raises(CancelledError):
        told(gone)
    assert sum(made.reader.batches) == 4
    assert (made.abandoned("too-late"), made.abandoned("cancelled")) == (1, 1)


def test_how_long_its_threads_worked_and_how_much_may_wait_is_told(desk):
    made = desk(room=7)
    waiting = [*made.ask(2), *made.ask(frames=LONG)]
    assert all(map(told, waiting))
    made.search.shutdown()
    busy = [made.telemetry.value("lipsol_busy_seconds_total", stage=stage) for stage in ("network", "network-long")]
    assert all(seconds > 0 for seconds in (*busy, made.telemetry.value("lipsol_busy_seconds_total", stage="search")))
    assert made.telemetry.value("lipsol_line_limit_clips", model="made") == 7


def test_only_who_asks_for_a_mouths_embedding_pays_for_it(desk):
    made = desk()
    assert told(made.ask()[0]).embedding == ()
    assert told(made.ask(embedded=True)[0]).embedding == embed(mouth_of())


def test_a_slow_clips_buckets_name_its_trace(desk):
    made = desk()
    assert told(made.ask(trace_id="4bf92f3577b34da6a3ce929d0e0e4736")[0])
    made.search.shutdown()
    for name in ("lipsol_line_seconds", "lipsol_search_seconds"):
        (family,) = (family for family in made.telemetry.registry.collect() if family.name == name)
        told_by = {str(sample.exemplar.labels) for sample in family.samples if sample.exemplar}
        assert told_by == {"{'trace_id': '4bf92f3577b34da6a3ce929d0e0e4736'}"}


def test_a_fault_of_a_batch_is_that_batchs_alone(desk):
    made = desk()
    made.reader.fault = ModelError("the network is broken")
    (first,) = made.ask()
    with pytest.raises(ModelError, match="broken"):
        told(first)
    made.reader.fault = None
    assert told(made.ask()[0]).prediction.text == SAID


def test_words_that_can_not_be_found_are_that_clips_fault_alone(desk):
    class Choosy(MadeReader):
        def decode(self, heard, grammar):
            if heard.frames == 6:
                raise ZeroDivisionError
            return super().decode(heard, grammar)

    made = desk(Choosy())
    first = made.busy()
    (bad,), (good,) = made.ask(frames=6), made.ask(frames=7)
    made.free()
    assert told(first) and told(good).batch == 2
    with pytest.raises(ZeroDivisionError):
        told(bad)


def test_the_next_batch_is_in_the_network_while_words_are_searched_for(desk):
    made = desk(SlowWords())
    (first,) = made.ask()
    wait_for(lambda: len(made.reader.batches) == 1)
    (second,) = made.ask()
    wait_for(lambda: len(made.reader.batches) == 2)
    assert not first.done() and not second.done()
    made.reader.words.set()
    assert told(first) and told(second)


def test_no_more_is_heard_than_words_are_found_for(desk):
    made = desk(SlowWords(), room=64, clips=2)
    futures = [future for _ in range(20) for future in made.ask()]
    wait_for(lambda: sum(made.reader.batches) >= 4)
    time.sleep(0.05)
    assert sum(made.reader.batches) <= 5  # two batches of two, and the one that was begun just before
    made.reader.words.set()
    assert len([told(future) for future in futures]) == 20


def test_a_long_clip_and_short_ones_do_not_wait_for_each_other(desk):
    class Patient(MadeReader):
        """Hears a long clip for as long as it must."""

        def __init__(self):
            super().__init__()
            self.over = threading.Event()

        def hear(self, mouths, at_once):
            if len(mouths[0]) >= LONG:
                assert self.over.wait(PATIENCE_S)
            return super().hear(mouths, at_once)

    made = desk(Patient())
    (long,) = made.ask(frames=LONG)
    assert told(made.ask()[0]) and not long.done()
    made.reader.over.set()
    assert told(long)
    first = made.busy()
    (long,) = made.ask(frames=LONG)
    wait_for(lambda: len(made.reader.batches) == 4)  # both are in the network
    made.free()
    assert told(first) and told(long)


def test_what_was_taken_is_finished_before_it_ends_and_nothing_more_is_taken(desk):
    made = desk()
    first = made.busy()
    (second,) = made.ask()
    assert not made.batcher.close()
    with pytest.raises(Transient, match="leaving"):
        made.ask()
    made.free()
    assert told(first) and told(second)
    assert made.batcher.close(PATIENCE_S)


def test_what_can_not_be_finished_in_time_is_given_up_and_told_so(desk):
    made = desk()
    first = made.busy()
    (second,) = made.ask()
    assert not made.batcher.close(0.01)
    with pytest.raises(Transient, match="leaving"):
        told(second)
    made.free()
    assert told(first)
