"""One real clip under each thing that goes wrong: what the monitor is told of it differs as it should."""

import pytest

from lipsol.data.dataset import Item
from tests.detection import reading, watching
from tests.detection.distortions import PICTURES
from tests.detection.pools import seen
from tests.detection.reading import AS_SHIPPED, Way, read_all
from tests.detection.watching import CLEAN, Mouth


@pytest.fixture(scope="module")
def mouth(samples, tmp_path_factory):
    """The sample as it is watched under a distortion, by name."""
    folder = tmp_path_factory.mktemp("mouths")
    item = Item(samples[0].path, samples[0].speaker, (), "test", samples[0].text)

    def watched(distortion: str) -> Mouth:
        place = folder / f"{distortion}.npz"
        if not watching._done(place):
            watching._watch(item.path, distortion, place)
        return watching._kept(item, place)

    return watched


@pytest.mark.parametrize(
    ("distortion", "measure", "low", "high"),
    [
        ("darker", "brightness", 0.65, 0.72),
        ("blurred", "sharpness", 0.0, 0.5),
        ("halved", "mouth_px", 0.45, 0.55),
        ("slow", "source_fps", 0.59, 0.61),
        ("gappy", "source_fps", 0.8, 0.96),
        ("turned", "mouth_px", 0.7, 0.95),
    ],
)
def test_a_changed_picture_is_measured_as_changed(mouth, distortion, measure, low, high):
    clean, changed = mouth(CLEAN), mouth(distortion)
    assert distortion in PICTURES
    assert low <= changed.quality[measure] / clean.quality[measure] <= high
    assert changed.mouth is not None


def test_a_turned_head_is_turned_and_missing_frames_are_counted(mouth):
    assert abs(mouth("turned").quality["yaw_deg"]) - abs(mouth(CLEAN).quality["yaw_deg"]) > 15
    assert mouth("gappy").quality["dropped_frames"] >= 2


def test_what_is_read_reaches_the_detector_whole_and_a_fault_behind_our_watching_shows_in_the_mouth_alone(
    mouth, tmp_path, monkeypatch
):
    monkeypatch.setattr(reading, "KEPT", tmp_path)
    said = []
    told = {way: seen(read_all([mouth(CLEAN)], way, said.append))[0] for way in (AS_SHIPPED, Way("shifted"))}
    clean, shifted = told.values()
    assert clean.observed.numbers == shifted.observed.numbers
    assert clean.observed.embedding and clean.observed.embedding != shifted.observed.embedding
    assert set(clean.observed.outputs) == {"confidence", "entropy", "length"}
    assert clean.told is not None and clean.told.words == 6
    assert len(said) == 2
    again = seen(read_all([mouth(CLEAN)], AS_SHIPPED, said.append))[0]
    assert (again, len(said)) == (clean, 2)  # kept, and not read again
