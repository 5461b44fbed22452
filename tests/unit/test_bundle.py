import dataclasses
import json

import numpy as np
import pytest

from lipsol.archive import Archive, write
from lipsol.bundle import Bundle, GoldenClip
from lipsol.card import Answer, Confidence, Scale
from lipsol.clips import landmarks
from lipsol.clips.clip import MouthClip
from lipsol.errors import ModelError
from lipsol.text.grammar import Grammar

_SCALE = Scale(1.2, -0.3)


def still(frames):
    """A mouth clip in which nothing moves."""
    points = np.zeros((frames, 40, 2), np.float32)
    picture = np.full((frames, 96, 96), frames, np.uint8)
    return MouthClip(picture, points, points[:, :16], points, np.ones(frames, np.bool_))


@pytest.fixture
def bundle():
    held = Confidence(
        _SCALE, Scale(0.9, 0.1), Scale(0.5, -1.0), Scale(0.7, -0.5), threshold=0.7, stranger_threshold=0.9
    )
    grammar = Grammar.of_slots("small", "ur", [["آپ", "ہم"], ["ایک", "دو"]])
    golden = tuple(
        GoldenClip(f"clip {n}", still(frames), (Answer("grammar", "آپ ایک", 0.5),)) for n, frames in enumerate((3, 5))
    )
    return Bundle(
        "small-sentences", "1.2.3", "sentences", "ur", " آپہمایکدو", grammar.words, grammar.to_json(), landmarks.MODEL,
        {"grammar": held}, {"licence": "CC0-1.0"}, b"not run here", golden=golden,
    )  # fmt: skip


def test_a_bundle_comes_back_as_it_was_saved_with_its_files_digest(bundle, tmp_path):
    digest = bundle.save(tmp_path / "small.lipsol")
    loaded = Bundle.load(tmp_path / "small.lipsol")
    assert loaded.digest == digest and len(digest) == 64
    same = dataclasses.replace(loaded, card={}, digest="")
    assert same == dataclasses.replace(bundle, card={}, grammar=same.grammar)
    assert Grammar.from_json(loaded.grammar) == Grammar.from_json(bundle.grammar)
    assert loaded.card["licence"] == "CC0-1.0"
    for before, after in zip(bundle.golden, loaded.golden, strict=True):
        assert (after.name, after.answers) == (before.name, before.answers)
        np.testing.assert_array_equal(after.mouth.mouth, before.mouth.mouth)


def test_the_same_bundle_is_the_same_bytes(bundle, tmp_path):
    assert bundle.save(tmp_path / "one.lipsol") == bundle.save(tmp_path / "two.lipsol")


def _rewrite(path, change):
    members = dict(Archive.read(path).members)
    card = json.loads(members["card.json"])
    change(card)
    write(path, {**members, "card.json": json.dumps(card).encode()})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card.update(landmarks="dlib-68"), "dlib-68"),
        (lambda card: card.update(format=99), "card format 99"),
        (lambda card: card.pop("characters"), "characters"),
        (lambda card: card["confidence"]["grammar"].pop("threshold"), "threshold"),
    ],
    ids=["other landmarks", "other format", "no alphabet", "no threshold"],
)
def test_a_bundle_that_does_not_fit_is_refused_with_the_reason(bundle, tmp_path, change, said):
    path = tmp_path / "small.lipsol"
    bundle.save(path)
    _rewrite(path, change)
    with pytest.raises(ModelError, match=said):
        Bundle.load(path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and then nothing"], ids=["empty", "cut off"])
def test_a_file_that_is_no_bundle_is_refused(tmp_path, data):
    (tmp_path / "x.lipsol").write_bytes(data)
    with pytest.raises(ModelError, match="no bundle"):
        Bundle.load(tmp_path / "x.lipsol")
