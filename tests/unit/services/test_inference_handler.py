"""Reading what waits."""

import threading
from dataclasses import replace

import pytest

from lipsol.clips.embedding import embed
from lipsol.engine import Engine
from lipsol.errors import BadInput, Busy, ModelError, NotFound
from lipsol.reader import BUNDLE_GRAMMAR
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.store.local import LocalStore
from lipsol.traffic import part
from services.inference.ask import Ask, bound
from services.inference.core import Core
from services.inference.handler import Handler, prediction_id
from services.inference.line import Batching
from services.inference.models import Models
from services.inference.opening import opener
from tests.services_made import SAID, MadeReader, MadeRegistry, info_of, mouth_of, ready_of

ROOM = 8  # clips that may wait


class Inference:
    """A handler over a store in a folder, its readers, and what was opened."""

    def __init__(self, folder, clock, held=4):
        self.store = LocalStore(folder)
        self.registry = MadeRegistry()
        self.opened: list[str] = []
        self.reader = MadeReader()
        self.models = Models(self.registry, self.open, held)
        self.claims = Claims(self.store, inline_max_bytes=0, now=clock.now)
        self.telemetry = Telemetry()
        self.core = Core(self.models, Batching(room=ROOM), now=clock.now)
        self.handler = Handler(self.core, self.claims, clock.now, self.telemetry)
        self.canary = replace(self.handler, track="canary")
        self.unfit: set[str] = set()

    def open(self, _path, info):
        if info.name in self.unfit:
            raise ModelError(f"{info.name} is broken")
        self.opened.append(info.name)
        return self.reader

    def ready(self, clip_id, **changed):
        """An event whose mouth lies in the store."""
        claim = self.claims.keep(f"clips/{clip_id}/mouth", mouth_of().to_bytes(), 60.0)
        return ready_of(clip_id, mouth=claim, **changed)


@pytest.fixture
def inference(tmp_path, clock):
    made = Inference(tmp_path, clock)
    yield made
    made.core.stop(10)


def test_what_waits_is_read_together_and_answered_in_its_order(inference):
    made = inference.handler.handle([inference.ready(name * 32) for name in "abc"])
    assert [each.clip_id[0] for each in made] == ["a", "b", "c"]
    assert inference.reader.batches == [3]
    assert made[0].text == SAID


def test_each_model_reads_its_own_and_the_order_is_kept(inference):
    events = [
        inference.ready("a" * 32), inference.ready("b" * 32, model="grid-words"), inference.ready("c" * 32),
    ]  # fmt: skip
    made = inference.handler.handle(events)
    assert [each.model.name for each in made] == ["grid-sentences", "grid-words", "grid-sentences"]
    assert sorted(inference.reader.batches) == [1, 2]


def test_where_other_doors_fill_the_line_the_bus_waits_for_room_and_nothing_is_buried(inference):
    inference.reader.hold.clear()
    others = [inference.core.submit(Ask(mouth_of(), info_of()))]
    while not others[-1].done():  # until one is Busy
        others.append(inference.core.submit(Ask(mouth_of(), info_of())))
    made = []
    events = [inference.ready(name * 32) for name in "abc"]
    reading = threading.Thread(target=lambda: made.extend(inference.handler.handle(events)))
    reading.start()
    assert isinstance(others.pop().exception(), Busy)
    inference.reader.hold.set()
    reading.join(60)
    assert [each.clip_id[0] for each in made] == ["a", "b", "c"]
    assert all(each.result(60) for each in others)


def test_a_repeat_gives_the_same_prediction_id_and_another_bundle_another(inference):
    (first,), (second,) = (inference.handler.handle([inference.ready("a" * 32)]) for _ in range(2))
    (other,) = inference.handler.handle([inference.ready("a" * 32, model="grid-words")])
    assert first.prediction_id == second.prediction_id != other.prediction_id
    assert prediction_id("a", "bc") != prediction_id("ab", "c")


def test_the_times_of_all_stages_are_told(inference, clock):
    event = inference.ready("a" * 32, received_at=clock.now() - 0.1)
    (made,) = inference.handler.handle([event])
    assert made.timings_ms["queue"] >= 97  # 100 ms less the 3 that decode and face took, and what the core waited
    assert made.timings_ms["total"] == pytest.approx(3 + made.timings_ms["queue"] + made.timings_ms["read"], abs=0.01)
    assert made.timings_ms["total"] > 100
    assert made.timings_ms["decode"] == 1.0


def test_what_the_edge_saw_and_what_the_mouth_and_the_network_were_like_goes_on_with_the_reading(inference):
    facts = {"faces": 3, "codec": "vp9", "redo": True, "received_at": 1_795_251_500.0}
    (made,) = inference.handler.handle([inference.ready("a" * 32, **facts)])
    assert {name: getattr(made, name) for name in facts} == facts
    assert made.embedding == embed(mouth_of())
    assert made.entropy == 0.0  # the made reader's network is sure of its silence


def test_all_clips_of_a_session_lie_in_one_part_of_the_split_and_the_reading_tells_which(inference):
    made = inference.handler.handle(
        [inference.ready(clip * 32, session=name) for clip, name in (("a", "x"), ("b", "x"), ("c", ""))]
    )
    assert [each.part for each in made] == [part("x"), part("x"), part("c" * 32)]


def test_a_copy_tells_all_that_a_users_clip_does(inference):
    facts = {"track": "canary", "faces": 2, "codec": "h264", "redo": True}
    plain, copy = (
        inference.canary.handle([inference.ready("a" * 32, shadow=shadow, **facts)])[0] for shadow in (False, True)
    )
    same = {name: value for name, value in vars(plain).items() if name not in {"shadow", "timings_ms", "made_at"}}
    assert {name: getattr(copy, name) for name in same} == same
    assert copy.shadow and copy.embedding


def test_a_mouth_that_is_gone_is_nobodys_empty_reading(inference):
    with pytest.raises(BadInput, match="gone"):
        inference.handler.handle([ready_of("a" * 32)])


def test_a_mouth_that_was_changed_is_never_read(inference):
    event = inference.ready("a" * 32)
    inference.store.put(event.mouth.ref, mouth_of(1).to_bytes())
    with pytest.raises(BadInput, match="digest"):
        inference.handler.handle([event])
    assert inference.reader.batches == []


def test_a_model_that_is_not_here_is_named(inference):
    with pytest.raises(NotFound, match="other"):
        inference.handler.handle([inference.ready("a" * 32, model="other")])


def test_a_grammars_spec_is_the_bundles_own_none_or_a_grammar():
    assert bound("") is BUNDLE_GRAMMAR
    assert bound("none") is None
    assert bound("grid").name == "grid"


def test_the_defaults_are_opened_at_start_and_only_once(inference):
    assert inference.models.open_defaults() == 1
    inference.handler.handle([inference.ready("a" * 32)])
    assert inference.opened == ["grid-sentences"]


def test_without_any_model_it_does_not_start(inference):
    inference.registry.infos = []
    with pytest.raises(ModelError, match="no model"):
        inference.models.open_defaults()


def test_the_model_longest_unused_makes_way(tmp_path, clock):
    inference = Inference(tmp_path, clock, held=2)
    inference.registry.infos = [info_of(name) for name in ("one", "two", "three")]
    for name in ("one", "two", "one", "three", "one", "two"):
        inference.models.reader(inference.registry.find(name))
    assert inference.opened == ["one", "two", "three", "two"]
    assert len(inference.models) == 2


def test_a_bundle_that_is_none_does_not_read(tmp_path):
    (tmp_path / "a.lipsol").write_bytes(b"no bundle")
    with pytest.raises(ModelError, match=r"a\.lipsol"):
        opener(Engine())(tmp_path / "a.lipsol", info_of())


WORDS = info_of("grid-words").digest


def test_stable_passes_over_the_bundle_that_was_meant_for_the_canary_and_tells_that_it_read(inference):
    (made,) = inference.handler.handle([inference.ready("a" * 32, track="canary", bundle=WORDS)])
    assert (made.model.name, made.track, made.shadow) == ("grid-sentences", "stable", False)


def test_stable_passes_over_copies_and_counts_them(inference):
    events = [inference.ready("a" * 32, track="canary", shadow=True), inference.ready("b" * 32)]
    assert [made.clip_id[0] for made in inference.handler.handle(events)] == ["b"]
    assert inference.telemetry.value("lipsol_copies_skipped_total", track="stable") == 1


@pytest.mark.parametrize(
    ("asked", "read_by"),
    [
        ({}, "grid-sentences"),
        ({"bundle": WORDS}, "grid-words"),
        ({"bundle": WORDS, "model": "grid-sentences"}, "grid-sentences"),
    ],
    ids=["the default", "the policy's", "the client's before the policy's"],
)
def test_the_canary_reads_by(inference, asked, read_by):
    (made,) = inference.canary.handle([inference.ready("a" * 32, track="canary", **asked)])
    assert (made.model.name, made.track) == (read_by, "canary")


def test_a_copy_is_read_by_the_canary_and_stays_a_copy(inference):
    (made,) = inference.canary.handle([inference.ready("a" * 32, track="canary", bundle=WORDS, shadow=True)])
    assert (made.model.name, made.track, made.shadow) == ("grid-words", "canary", True)


@pytest.mark.parametrize("shadow", [False, True], ids=["answered", "copied"])
def test_what_is_of_another_language_than_the_canarys_bundle_is_read_by_the_canarys_own_default(inference, shadow):
    inference.registry.infos.append(info_of("urdu", "ur"))
    event = inference.ready("a" * 32, track="canary", bundle=WORDS, shadow=shadow, language="ur")
    (made,) = inference.canary.handle([event])
    assert (made.model.name, made.track, made.shadow) == ("urdu", "canary", shadow)


def test_a_language_that_nobody_reads_is_refused_by_the_canary_as_by_stable(inference):
    event = inference.ready("a" * 32, track="canary", bundle=WORDS, language="fi")
    for handler in (inference.handler, inference.canary):
        with pytest.raises(NotFound, match="fi"):
            handler.handle([event])


@pytest.mark.parametrize("bundle", ["0" * 64, WORDS], ids=["gone", "broken"])
def test_where_the_canarys_bundle_will_not_do_the_clip_is_read_as_stable_would_and_a_copy_is_not(inference, bundle):
    inference.unfit.add("grid-words")
    events = [
        inference.ready("a" * 32, track="canary", bundle=bundle),
        inference.ready("b" * 32, track="canary", bundle=bundle, shadow=True),
    ]
    (made,) = inference.canary.handle(events)
    assert (made.clip_id[0], made.model.name, made.track) == ("a", "grid-sentences", "stable")
    assert inference.telemetry.value("lipsol_copies_skipped_total", track="canary") == 1


def test_tracks_and_bundles_in_one_batch_keep_their_order(inference):
    bundles = {"a": "", "b": WORDS, "c": "0" * 64, "d": WORDS}
    events = [inference.ready(name * 32, track="canary", bundle=bundle) for name, bundle in bundles.items()]
    made = inference.canary.handle(events)
    assert [(each.clip_id[0], each.model.name, each.track) for each in made] == [
        ("a", "grid-sentences", "canary"),
        ("b", "grid-words", "canary"),
        ("c", "grid-sentences", "stable"),
        ("d", "grid-words", "canary"),
    ]
