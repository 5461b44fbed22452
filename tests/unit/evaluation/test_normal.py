from dataclasses import replace

import numpy as np
import pytest

from lipsol.bundle import Bundle
from lipsol.clips.clip import MouthClip
from lipsol.clips.quality import of_mouth
from lipsol.data.dataset import Dataset, Item, Spoken
from lipsol.data.mouths import Seen
from lipsol.drift.reference import Reference
from lipsol.evaluation.normal import reference_for, with_reference

TEXT = "bin blue at f two now"
SPLITS = ("validation",) * 4 + ("train",) * 6 + ("test",) * 5 + ("unseen",) * 5


@pytest.fixture(scope="module")
def bundle(top):
    return replace(Bundle.load(top / "models" / "grid-words.lipsol"), reference=b"")


def dataset(folder, suffix=".mp4", home=("a",)) -> Dataset:
    words = tuple(Spoken(word, 2 + 3 * n, 5 + 3 * n) for n, word in enumerate(TEXT.split()))
    items = [Item(folder / f"a{n}{suffix}", "a", words, split, TEXT) for n, split in enumerate(SPLITS)]
    return Dataset(
        name="made", language="en", grammar="grid", home=home, items=tuple(items), licence="CC0-1.0",
        attribution="nobody", split="by hand", corpus="made up", names="", synthetic=True, folder=folder,
    )  # fmt: skip


@pytest.fixture
def made(tmp_path):
    for n in range(len(SPLITS)):
        (tmp_path / f"a{n}.mp4").write_bytes(bytes([n]))
        (tmp_path / f"a{n}.npz").write_bytes(bytes([n]))
    return tmp_path


def look(item: Item) -> Seen:
    rng = np.random.default_rng(int(item.path.stem[1:]))
    points = rng.normal(0, 0.1, (24, 56, 2)).astype(np.float32)
    picture = rng.integers(0, 256, (24, 96, 96), dtype=np.uint8)
    mouth = MouthClip(picture, points[:, :40], points[:, 40:], points[:, :40], np.ones(24, bool))
    return Seen(mouth, {**of_mouth(mouth), "yaw_deg": 7.0})


def test_sureness_is_learned_from_validation_words_and_what_comes_in_from_training_too(bundle, made):
    reference = reference_for(bundle, dataset(made), look)
    assert reference is not None
    parts = reference.block.parts(reference.layout)
    assert (reference.clips, parts["read"], parts["told"]) == (60, 24, 24)
    assert parts["spoke"] == parts["embedded"] == 60
    assert reference.rows()["seconds"].max() < 0.5  # of a word, not of the clip
    assert np.isfinite(reference.rows()["brightness"]).all()


def test_a_mouth_s_own_brightness_is_not_a_picture_s(bundle, made):
    reference = reference_for(bundle, dataset(made, ".npz"), look)
    assert reference is not None
    assert np.isnan(reference.rows()["brightness"]).all() and np.isfinite(reference.rows()["contrast"]).all()


def test_clips_that_can_t_be_read_and_other_speakers_teach_nothing(bundle, made):
    assert reference_for(bundle, dataset(made), lambda item: None if item.split == "train" else look(item)) is None
    stranger = dataset(made, home=("b",))
    assert reference_for(bundle, stranger, look) is None
    assert with_reference(bundle, stranger, look) is bundle


def test_a_bundle_keeps_its_reference_in_its_file(bundle, made, tmp_path):
    given = with_reference(bundle, dataset(made), look)
    given.save(tmp_path / "given.lipsol")
    again = Bundle.load(tmp_path / "given.lipsol")
    assert again.reference == given.reference
    assert Reference.from_bytes(again.reference).digest_of_data == dataset(made).version()
