"""Clips become mouths once, with what their pictures were like."""

import numpy as np
import pytest

from lipsol.clips.quality import Quality, of_mouth
from lipsol.clips.watch import Watcher
from lipsol.data import mouths
from lipsol.data.dataset import Item
from lipsol.data.mouths import mouths_of, watched_of


@pytest.fixture
def watched(sample):
    return Watcher().watch(sample.bytes())


def test_a_mouth_clip_is_taken_as_it_is_and_what_is_none_is_reported(watched, tmp_path):
    (tmp_path / "good.npz").write_bytes(watched.mouth.to_bytes())
    (tmp_path / "bad.npz").write_bytes(b"no mouth")
    items = [Item(tmp_path / f"{name}.npz", "a", (), "train", "") for name in ("good", "bad", "gone")]
    said = []
    found = watched_of(items, tmp_path / "cache", 1, said.append)
    assert list(found) == ["a_good"] and found["a_good"].facts == of_mouth(watched.mouth)
    np.testing.assert_array_equal(found["a_good"].mouth.mouth, watched.mouth.mouth)
    assert sorted(line.partition(":")[0] for line in said) == ["left out a_bad", "left out a_gone"]


def test_the_facts_of_a_mouth_are_those_of_its_film_as_far_as_they_go(watched):
    film, mouth = watched.quality.as_dict(), of_mouth(watched.mouth)
    assert set(mouth) <= set(Quality.__dataclass_fields__)
    for name in ("seconds", "contrast", "sharpness", "face_found"):
        assert mouth[name] == pytest.approx(film[name], rel=1e-3)
    assert mouth["motion"] == pytest.approx(film["motion"], rel=0.1)


def test_what_was_watched_is_not_watched_again(sample, tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(sample.bytes())
    item = Item(clip, "a", (), "train", "")
    first = watched_of([item], tmp_path / "cache", 1, print)["a_clip"]
    (mouth,) = (tmp_path / "cache").glob("*.npz")
    before = mouth.stat().st_mtime_ns
    again = mouths_of([item], tmp_path / "cache", 1, print)["a_clip"]
    assert mouth.stat().st_mtime_ns == before and first.facts["mouth_px"] > 20
    np.testing.assert_array_equal(first.mouth.mouth, again.mouth)


def test_what_another_cutter_cut_is_watched_again(tmp_path, monkeypatch, request):
    request.addfinalizer(mouths._cut_by.cache_clear)
    (tmp_path / "clip.mp4").write_bytes(b"film")
    (tmp_path / "clips" / "deep").mkdir(parents=True)
    monkeypatch.setattr(mouths.clips, "__file__", str(tmp_path / "clips" / "__init__.py"))
    item, places = Item(tmp_path / "clip.mp4", "a", (), "train", ""), set()
    for text in ("", "one = 1", "one = 2"):
        (tmp_path / "clips" / "deep" / "mouth.py").write_text(text)
        mouths._cut_by.cache_clear()
        places |= {mouths._kept_at(item, tmp_path) for _ in range(2)}
    assert len(places) == 3
