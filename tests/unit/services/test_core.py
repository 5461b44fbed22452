"""The core behind every door: who reads what is asked, also while bundles come and go."""

import threading
import time
from dataclasses import dataclass, field, replace

import pytest

from lipsol.errors import BadInput, Busy, ModelError, NotFound, Transient
from lipsol.runtime.telemetry import Telemetry
from services.inference.core import Ask, Core
from services.inference.line import Batching
from services.inference.models import Models
from tests.services_made import MadeReader, MadeRegistry, info_of, mouth_of

PATIENCE_S = 30.0
OLD, NEW, CANARY = info_of("one"), info_of("two"), info_of("canary", default=False)


class NamedReader(MadeReader):
    """Reads every mouth as the name of its bundle."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def decode(self, heard, grammar):
        return replace(super().decode(heard, grammar), text=self.name)


@dataclass
class Bench:
    """A core over a registry in memory whose bundles can be held back, broken and replaced."""

    registry: MadeRegistry = field(default_factory=lambda: MadeRegistry([OLD, CANARY]))
    telemetry: Telemetry = field(default_factory=Telemetry)
    unfit: set[str] = field(default_factory=set)
    held_back: dict[str, threading.Event] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    readers: dict[str, NamedReader] = field(default_factory=dict)
    room: int = 64
    held: int = 4
    pins: tuple[str, ...] = ()

    def __post_init__(self):
        self.models = Models(self.registry, self.open, self.held, self.telemetry, bundles=self.pins)
        self.core = Core(self.models, Batching(room=self.room, wait_s=0.0), searchers=2, look_s=0.005)

    def open(self, _path, info):
        self.opened.append(info.name)
        if info.name in self.held_back:
            assert self.held_back[info.name].wait(PATIENCE_S)
        if info.name in self.unfit:
            raise ModelError(f"{info.name} does not reproduce its golden answers", "fetch it again")
        self.readers[info.name] = NamedReader(info.name)
        return self.readers[info.name]

    def make_default(self, info):
        """Put a bundle into the registry in the place of the default."""
        others = [replace(other, default=False) for other in self.registry.infos if other.name != info.name]
        self.registry.infos = [info, *others]

    def read(self, info=None, **changed):
        """Ask and wait."""
        return self.core.submit(self.ask(info, **changed)).result(PATIENCE_S)

    def ask(self, info=None, **changed):
        return Ask(mouth_of(), info or self.models.info("", "en"), **changed)


@pytest.fixture
def bench():
    made = []

    def make(**options):
        made.append(Bench(**options))
        return made[-1]

    yield make
    for each in made:
        for held in [*each.held_back.values(), *(reader.hold for reader in each.readers.values())]:
            held.set()
        assert each.core.stop(PATIENCE_S)


def wait_for(happened):
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("ask", "fault"),
    [
        (Ask(mouth_of(frames=1), OLD), BadInput),
        (Ask(mouth_of(), OLD, grammar="no such grammar"), NotFound),
        (Ask(mouth_of(), OLD, grammar='{"name": "x"}'), BadInput),
        (Ask(mouth_of(), info_of("broken")), ModelError),
    ],
    ids=["too short", "an unknown grammar", "a grammar that is none", "a bundle that can't be used"],
)
def test_what_is_wrong_with_an_ask_comes_by_its_future_and_harms_no_other(bench, ask, fault):
    made = bench()
    made.unfit.add("broken")
    bad, good = made.core.submit_all([ask, made.ask()])
    assert isinstance(bad.exception(PATIENCE_S), fault)
    assert good.result(PATIENCE_S).prediction.text == "one"


def test_two_bundles_side_by_side_read_each_their_own(bench):
    made = bench()
    made.core.start()
    asks = [made.ask(info) for info in (OLD, CANARY) * 10]
    answers = [future.result(PATIENCE_S) for future in made.core.submit_all(asks)]
    assert [(answer.info.name, answer.prediction.text) for answer in answers] == [
        ("one", "one"),
        ("canary", "canary"),
    ] * 10


def test_asking_for_a_bundle_that_is_not_open_keeps_nobody_waiting(bench):
    made = bench()
    made.held_back["canary"] = threading.Event()
    waits = made.core.submit(made.ask(CANARY))
    assert made.read(OLD).prediction.text == "one" and not waits.done()
    made.held_back["canary"].set()
    assert waits.result(PATIENCE_S).prediction.text == "canary"


def test_no_more_wait_for_a_bundle_to_be_opened_than_may_wait_at_all(bench):
    made = bench(room=2)
    made.held_back["canary"] = threading.Event()
    first, second, third = (made.core.submit(made.ask(CANARY)) for _ in range(3))
    assert isinstance(third.exception(PATIENCE_S), Busy)
    made.held_back["canary"].set()
    assert first.result(PATIENCE_S) and second.result(PATIENCE_S)


def test_a_bundle_is_opened_once_however_many_ask_for_it(bench):
    made = bench()
    asked = [threading.Thread(target=made.read, args=(CANARY,)) for _ in range(8)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join(PATIENCE_S)
    assert made.opened == ["canary"]


def test_a_newer_default_takes_over_once_it_is_open_and_the_older_one_reads_until_then(bench):
    made = bench()
    made.held_back["two"] = threading.Event()
    made.core.start()
    made.make_default(NEW)
    wait_for(lambda: "two" in made.opened)
    assert made.read().prediction.text == "one"
    made.held_back["two"].set()
    wait_for(lambda: made.read().prediction.text == "two")
    wait_for(lambda: made.telemetry.value("lipsol_models_swapped_total", model="two") == 1)
    assert made.read(OLD).prediction.text == "one"  # whoever was told the older one is read by that


def test_while_defaults_change_no_reading_is_lost_and_none_is_anothers(bench):
    made = bench()
    made.core.start()
    answers, done = [], threading.Event()

    def ask_on():
        while not done.is_set():
            info = made.models.info("", "en")
            answers.append((info, made.core.submit_all([made.ask(info)], in_turn=True)[0]))
            time.sleep(0.0005)

    asking = [threading.Thread(target=ask_on) for _ in range(3)]
    for thread in asking:
        thread.start()
    for name in ("two", "one", "three", "two"):
        made.make_default(info_of(name))
        wait_for(lambda name=name: made.models.info("", "en").name == name)
        wait_for(lambda name=name: any(info.name == name for info, _ in list(answers)))
    done.set()
    for thread in asking:
        thread.join(PATIENCE_S)
    read = [(info, future.result(PATIENCE_S)) for info, future in answers]
    assert all(answer.info == info and answer.prediction.text == info.name for info, answer in read)
    assert {info.name for info, _ in read} >= {"one", "two"}


def test_a_default_that_can_not_be_used_never_takes_over_and_is_told_of_until_it_is_replaced(bench):
    made = bench()
    made.unfit.add("two")
    made.core.start()
    made.make_default(NEW)
    wait_for(lambda: made.telemetry.value("lipsol_refused_models") == 1)
    assert made.models.refused == {
        ("language", "en"): "two does not reproduce its golden answers: fetch it again",
    }
    assert made.read().prediction.text == "one"
    assert "two" not in {info.name for info in made.models.known()}
    time.sleep(0.03)  # some looks
    assert made.opened == ["one", "two"]  # tried once
    made.make_default(info_of("three"))
    wait_for(lambda: made.read().prediction.text == "three")
    wait_for(lambda: made.telemetry.value("lipsol_refused_models") == 0)
    assert made.models.refused == {}


def test_a_bundle_that_is_refused_under_its_name_and_as_a_default_is_tried_and_told_of_once(bench):
    made = bench()
    made.core.start()
    assert made.models.info("one", "en") == OLD
    made.unfit.add("one")
    newer = replace(OLD, version="2", digest="f" * 64)
    made.registry.infos[:1] = [newer, replace(OLD, default=False)]
    wait_for(lambda: made.telemetry.value("lipsol_refused_models") == 2)
    time.sleep(0.03)  # some looks
    assert made.opened == ["one", "one"]
    assert [info.version for info, _ in made.models.unusable()] == ["2"]
    assert made.read().info.version == made.read(made.models.info("one", "en")).info.version == "1"


def test_a_name_goes_on_meaning_the_bundle_that_reads_until_the_newer_one_does(bench):
    made = bench()
    newer = replace(CANARY, version="2", digest="f" * 64)
    assert made.read(made.models.info("canary", "en")).info == CANARY
    made.held_back["canary"] = threading.Event()
    made.core.start()
    made.registry.infos.insert(1, newer)
    wait_for(lambda: made.opened.count("canary") == 2)
    assert made.models.info("canary", "en") == CANARY
    assert [info.version for info in made.models.known() if info.name == "canary"] == ["1", "2"]
    made.held_back["canary"].set()
    wait_for(lambda: made.models.info("canary", "en") == newer)
    assert [info.version for info in made.models.known() if info.name == "canary"] == ["2", "1"]
    assert made.models.info(CANARY.digest[:12], "en") == CANARY


def test_a_language_that_comes_later_is_read_too(bench):
    made = bench()
    made.core.start()
    made.registry.infos.append(info_of("urdu", "ur"))
    wait_for(lambda: "urdu" in made.opened)
    assert made.read(made.models.info("", "ur")).prediction.text == "urdu"


def test_a_reader_that_makes_way_finishes_what_it_was_asked_and_a_default_never_makes_way(bench):
    made = bench(held=1)
    made.core.start()
    assert made.read(CANARY).prediction.text == "canary"
    made.readers["canary"].hold.clear()
    last = made.core.submit(made.ask(CANARY))
    assert made.read(info_of("another")).prediction.text == "another"  # beside the default there is room for none
    assert not made.models.holds(CANARY.digest) and made.models.holds(OLD.digest)
    assert made.read(OLD).prediction.text == "one"
    made.readers["canary"].hold.set()
    assert last.result(PATIENCE_S).prediction.text == "canary"
    assert made.read(CANARY).prediction.text == "canary" and made.opened.count("canary") == 2


def test_what_is_pinned_is_open_from_the_start_and_reads_on_whatever_becomes_the_default(bench):
    made = bench(pins=(CANARY.digest,))
    made.core.start()
    assert made.opened == ["canary"]
    assert made.read().prediction.text == "canary"
    made.make_default(NEW)
    made.registry.infos.insert(0, replace(CANARY, version="2", digest="f" * 64, default=True))
    time.sleep(0.03)  # some looks
    assert made.opened == ["canary"]
    for info in (made.models.info("", "en"), made.models.info("canary", "en")):
        assert (info.digest, info.default) == (CANARY.digest, True)
    assert [(info.version, info.default) for info in made.models.known() if info.name == "canary"] == [
        ("1", True),
        ("2", False),
    ]
    assert made.models.refused == {}
    assert made.telemetry.value("lipsol_refused_models") == 0


def test_beside_a_pin_what_it_does_not_speak_of_changes_as_ever(bench):
    made = bench(pins=(OLD.digest,))
    made.registry.infos.append(info_of("urdu", "ur"))
    made.core.start()
    assert made.opened == ["one", "urdu"]
    made.registry.infos[-1:] = [info_of("urdu-newer", "ur")]
    wait_for(lambda: made.models.info("", "ur").name == "urdu-newer")
    assert made.models.info("", "en").name == "one"


def test_a_pin_never_makes_way(bench):
    made = bench(held=1, pins=(OLD.digest, CANARY.digest))
    made.core.start()
    assert made.opened == ["one", "canary"]
    made.read(info_of("another"))
    made.read(info_of("yet another"))
    assert made.models.holds(OLD.digest) and made.models.holds(CANARY.digest)
    assert made.read(made.models.info("canary", "en")).prediction.text == "canary"
    assert made.opened == ["one", "canary", "another", "yet another"]


@pytest.mark.parametrize(
    ("pins", "why"),
    [
        (("f" * 64,), "ffffffffffff is pinned, and is not here"),
        ((info_of("bad").digest,), "golden answers"),
        ((OLD.digest, "e" * 64), "one is pinned to .* pin one bundle of a model"),
    ],
    ids=["not here", "can't be used", "two of one model"],
)
def test_a_start_on_pins_that_can_not_be_used_is_refused(bench, pins, why):
    made = bench(pins=pins)
    made.unfit.add("bad")
    made.registry.infos += [info_of("bad", default=False), replace(OLD, version="2", digest="e" * 64, default=False)]
    with pytest.raises(ModelError, match=why):
        made.models.open_defaults()


def test_a_file_that_is_no_model_stops_no_start_where_all_that_reads_is_pinned(bench):
    made = bench(pins=(CANARY.digest,))
    made.registry.faulty = ["bad.lipsol is no bundle"]
    assert made.models.open_defaults() == 1
    made.registry.infos.append(info_of("urdu", "ur"))  # which another might have been meant to be
    with pytest.raises(ModelError, match=r"bad\.lipsol is no bundle"):
        made.models.open_defaults()


def test_after_the_end_nothing_is_taken_and_nothing_is_forgotten(bench):
    made = bench()
    made.core.start()
    made.held_back["canary"] = threading.Event()
    unopened = [made.core.submit(made.ask(info)) for info in (CANARY, info_of("x"), info_of("y"))]
    made.held_back["canary"].set()
    assert made.core.stop(PATIENCE_S)
    assert isinstance(made.core.submit(made.ask()).exception(PATIENCE_S), Transient)
    for future in unopened:
        assert future.exception(PATIENCE_S) is None or isinstance(future.exception(), Transient)
