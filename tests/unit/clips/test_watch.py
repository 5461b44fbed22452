from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lipsol.clips.clip import Clip
from lipsol.clips.video import decode
from lipsol.clips.watch import Watcher
from lipsol.errors import BadInput


@pytest.fixture(scope="module")
def watcher():
    return Watcher()


def test_every_sample_becomes_a_mouth_with_its_quality_and_timings(watcher, samples):
    for sample in samples:
        watched = watcher.watch(sample.bytes())
        assert len(watched.mouth) == 75 and watched.mouth.seen.all() and (watched.faces, watched.codec) == (1, "h264")
        assert 30 < watched.quality.mouth_px < 60 and watched.quality.source_fps == pytest.approx(25, abs=0.1)
        assert set(watched.timings_ms) == {"decode", "face", "mouth", "quality"}


def test_of_two_people_the_one_who_speaks_is_read(watcher, samples):
    speaking = decode(samples[0].bytes()).frames
    listening = np.repeat(decode(samples[-1].bytes()).frames[:1], len(speaking), axis=0)
    for sides in ([speaking, listening], [listening, speaking]):
        watched = watcher.watch_clip(Clip(np.concatenate(sides, axis=2)))
        alone = watcher.watch_clip(Clip(speaking))
        assert watched.faces == 2
        assert np.abs(watched.mouth.lips - alone.mouth.lips).mean() < 0.02


def test_a_photo_is_refused(watcher, samples):
    photo = np.repeat(decode(samples[0].bytes()).frames[:1], 50, axis=0)
    with pytest.raises(BadInput, match="the lips do not move"):
        watcher.watch_clip(Clip(photo))


def test_threads_share_a_watcher_and_get_the_same_answer(watcher, samples):
    data = [sample.bytes() for sample in samples[:4]]
    alone = [watcher.watch(each).mouth for each in data]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: watcher.watch(each).mouth, data))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.mouth, other.mouth)


def test_all_originals_are_watched_and_damage_is_measured(watcher, grid):
    found = {
        path.stem: watcher.watch(path.read_bytes()).quality.face_found
        for path in sorted((grid / "originals").glob("*.mpg"))
    }
    assert len(found) == 16
    assert {stem for stem, share in found.items() if share < 0.95} == {"pbio7a", "brwa4p", "bbizzn"}
