"""Reading what waits."""

from dataclasses import replace

import pytest

from lipsol.errors import BadInput, ModelError, NotFound
from lipsol.reader import BUNDLE_GRAMMAR
from lipsol.store.claims import Claims
from lipsol.store.local import LocalStore
from services.inference.handler import Handler, bound, prediction_id
from services.inference.models import Models, opener
from tests.services_made import SAID, MadeReader, MadeRegistry, info_of, mouth_of, ready_of


class Inference:
    """A handler over a store in a folder, its readers, and what was opened."""

    def __init__(self, folder, clock, held=4):
        self.store = LocalStore(folder)
        self.registry = MadeRegistry()
        self.opened: list[str] = []
        self.reader = MadeReader()
        self.models = Models(self.registry, self.open, held)
        self.claims = Claims(self.store, inline_max_bytes=0, now=clock.now)
        self.handler = Handler(self.models, self.claims, clock.now)

    def open(self, _path, info):
        self.opened.append(info.name)
        return self.reader

    def ready(self, clip_id, **changed):
        """An event whose mouth lies in the store."""
        claim = self.claims.keep(f"clips/{clip_id}/mouth", mouth_of().to_bytes(), 60.0)
        return ready_of(clip_id, mouth=claim, **changed)


@pytest.fixture
def inference(tmp_path, clock):
    return Inference(tmp_path, clock)


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
    assert inference.reader.batches == [2, 1]


def test_a_repeat_gives_the_same_prediction_id_and_another_bundle_another(inference):
    (first,), (second,) = (inference.handler.handle([inference.ready("a" * 32)]) for _ in range(2))
    (other,) = inference.handler.handle([inference.ready("a" * 32, model="grid-words")])
    assert first.prediction_id == second.prediction_id != other.prediction_id
    assert prediction_id("a", "bc") != prediction_id("ab", "c")


def test_the_times_of_all_stages_are_told(inference, clock):
    event = inference.ready("a" * 32, received_at=clock.now() - 0.1)
    (made,) = inference.handler.handle([event])
    assert made.timings_ms["queue"] == pytest.approx(97, abs=0.01)  # 100 ms less the 3 that decode and face took
    assert made.timings_ms["total"] == pytest.approx(100 + made.timings_ms["read"], abs=0.01)
    assert made.timings_ms["decode"] == 1.0


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
        opener(1)(tmp_path / "a.lipsol", info_of())


def test_a_changed_announcement_does_not_change_the_event_read(inference):
    event = inference.ready("a" * 32)
    (made,) = inference.handler.handle([replace(event, track="canary")])
    assert (made.track, made.quality) == ("canary", event.quality)
