import dataclasses

import numpy as np
import pytest
import torch

from lipsol.clips.clip import MouthClip
from lipsol.clips.mouth import INNER_LIP, OUTER_LIP
from lipsol.data.dataset import Item, Spoken
from lipsol.errors import BadInput
from lipsol.model.networks import CROP_PX, EYE_PX, Eye, shrink_matrix
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.training.examples import IGNORED, RING, Labels, Loader, example_of
from lipsol.training.phones import inventory
from lipsol.training.plan import Augmentation
from lipsol.training.ranks import Ranks
from lipsol.training.words import cut_words

STILL = Augmentation(shift_px=0.0, scale=0.0, turn_deg=0.0, speed=0.0, mask_frames=0, gray=0.0, trimmed=0.0)
VOCABULARY = Grammar.named("grid").words
LABELS = Labels(ALPHABETS["en"], VOCABULARY, inventory(VOCABULARY, "en"))


@pytest.fixture(scope="module")
def item(top):
    words = [("bin", 10, 16), ("blue", 16, 22), ("at", 22, 23), ("f", 23, 30), ("two", 30, 36), ("now", 36, 44)]
    return Item(top / "bbaf2n.mp4", "s1", tuple(Spoken(*word) for word in words), "train", "bin blue at f two now")


@pytest.fixture(scope="module")
def mouth():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.1, (50, 56, 2)).astype(np.float32)
    picture = rng.integers(0, 256, (50, 96, 96), dtype=np.uint8)
    return MouthClip(picture, points[:, :40], points[:, 40:], points[:, :40], np.ones(50, bool))


@pytest.fixture(scope="module")
def example(item, mouth):
    return example_of(item, mouth, LABELS)


@pytest.fixture(scope="module")
def eye():
    torch.manual_seed(0)
    return Eye(torch.zeros(EYE_PX**2), torch.randn(EYE_PX**2, 8) / EYE_PX)


def test_each_frame_is_labelled_with_the_word_said_in_it(example):
    said = [VOCABULARY[n - 1] if n else "" for n in example.words.tolist()]
    assert said[:10] == [""] * 10 and said[10:16] == ["bin"] * 6 and said[22] == "at" and said[44:] == [""] * 6
    assert (example.phones > 0).tolist() == [bool(word) for word in said]
    assert ALPHABETS["en"].decode(example.characters.tolist()) == "bin blue at f two now"


def test_without_augmentation_a_batch_is_what_the_network_sees_when_it_serves(example, eye, mouth):
    (batch,) = Loader([example], [1], eye, STILL, np.random.default_rng(0)).epoch(1)
    mask = torch.ones(1, len(mouth), 1)
    served = eye(eye.look(example.mouth[None]), mask)
    torch.testing.assert_close(batch.components, served, atol=2e-3, rtol=0)
    torch.testing.assert_close(batch.points[0], example.points.flatten(1), atol=1e-5, rtol=0)


def test_a_seed_gives_the_same_batches_and_another_seed_others(example, eye):
    def components(seed):
        return next(Loader([example] * 2, [1, 1], eye, Augmentation(), np.random.default_rng(seed)).epoch(2)).components

    assert torch.equal(components(3), components(3))
    assert not torch.equal(components(3)[:, :20], components(4)[:, :20])


def test_repeats_draw_a_clip_as_often_as_asked(example, eye):
    loader = Loader([example, example], [1, 3], eye, STILL, np.random.default_rng(0))
    assert loader.steps(2) == 2 and len(list(loader.epoch(2))) == 2


def test_a_trimmed_clip_keeps_all_of_its_speech(example, eye):
    trimmed = dataclasses.replace(STILL, trimmed=1.0)
    for batch in Loader([example] * 8, [1] * 8, eye, trimmed, np.random.default_rng(1)).epoch(1):
        assert int((batch.words[0] > 0).sum()) == 34
        assert 34 + 4 <= int(batch.length[0]) < 50


def test_speed_changes_length_and_labels_together(example, eye):
    fast = dataclasses.replace(STILL, speed=0.2)
    shares = [
        float((batch.words[0] > 0).sum() / batch.length[0])
        for batch in Loader([example] * 8, [1] * 8, eye, fast, np.random.default_rng(1)).epoch(1)
    ]
    assert max(abs(share - 34 / 50) for share in shares) < 0.04


def test_a_mirrored_lip_ring_still_runs_from_the_left_corner_over_the_lower_lip(sample):
    from lipsol.clips.watch import Watcher

    lips = torch.from_numpy(Watcher().watch(sample.bytes()).mouth.lips[0])
    ring = (10 - torch.arange(RING)) % RING
    assert len(OUTER_LIP) == len(INNER_LIP) == RING
    for first in (0, RING):
        mirrored = (lips[first : first + RING] * torch.tensor([-1.0, 1.0]))[ring]
        assert (mirrored - lips[first : first + RING]).abs().max() < 0.06


def test_the_shrink_matrix_keeps_a_flat_picture_flat_and_a_ramp_a_ramp():
    rows = shrink_matrix()
    torch.testing.assert_close(rows.sum(1), torch.ones(EYE_PX))
    ramp = rows @ torch.arange(CROP_PX, dtype=torch.float32)
    torch.testing.assert_close(ramp.diff(), torch.full((EYE_PX - 1,), CROP_PX / EYE_PX), atol=1e-4, rtol=0)


def test_a_word_is_cut_with_its_context_and_never_too_short(item, example):
    bare, wide = (cut_words(item, example, LABELS, context, context) for context in (0, 4))
    assert [len(cut.words) for cut in bare] == [6, 6, 3, 7, 6, 8]
    assert [len(cut.words) for cut in wide] == [14, 14, 9, 15, 14, 14 + 2]
    assert [VOCABULARY[int(cut.characters[0]) - 1] for cut in bare] == item.text.split()


def test_a_clip_that_nobody_aligned_is_spelled_but_not_labelled(item, mouth):
    loose = example_of(dataclasses.replace(item, words=()), mouth, LABELS)
    assert set(loose.words.tolist()) == set(loose.phones.tolist()) == {IGNORED} and loose.speech == (0, 50)
    assert ALPHABETS["en"].decode(loose.characters.tolist()) == item.text


def test_a_word_that_the_grammar_lacks_is_named(item, mouth):
    odd = dataclasses.replace(item, words=(Spoken("purple", 3, 9),))
    with pytest.raises(BadInput, match="s1_bbaf2n says 'purple'"):
        example_of(odd, mouth, LABELS)


def test_ranks_make_their_own_share_of_one_and_the_same_batch(example, eye):
    def batch(*ranks):
        how = Augmentation(noise=0.01, flip=True)
        return next(Loader([example] * 5, [1] * 5, eye, how, np.random.default_rng(7), *ranks).epoch(5))

    whole, parts = batch(), [batch(Ranks(rank, 2)) for rank in (0, 1)]
    assert [len(part.length) for part in parts] == [2, 3]
    assert torch.equal(torch.cat([part.length for part in parts]), whole.length)
    assert torch.equal(torch.cat([part.characters for part in parts]), whole.characters)
    for part, rows in zip(parts, (slice(0, 2), slice(2, 5)), strict=True):
        frames = part.points.shape[1]
        torch.testing.assert_close(part.points, whole.points[rows, :frames], atol=1e-6, rtol=0)
        torch.testing.assert_close(part.components, whole.components[rows, :frames], atol=2e-3, rtol=0)
    assert sum(part.clips_share for part in parts) == pytest.approx(2)
    assert sum(part.frames_share for part in parts) == pytest.approx(2)
    assert parts[0].frames_share == pytest.approx(2 * int(whole.length[:2].sum()) / int(whole.length.sum()))
