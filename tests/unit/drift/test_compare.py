import numpy as np
import pytest
from scipy import stats

from lipsol.clips.embedding import EVENS, ODDS
from lipsol.drift.compare import MEASURES, compare
from lipsol.drift.reference import Reference
from lipsol.drift.sketch import Block
from tests.unit.drift.observations_made import LIE, WORDS, Drawn, reference_made

ALPHA = 1e-6


@pytest.fixture(scope="module")
def reference():
    return reference_made()


def seen(reference, clips, told=(), alpha=ALPHA):
    """(measure, method) -> comparison."""
    found = compare(Block.of(clips, told, reference), reference, alpha)
    return {(each.measure, each.method): each for each in found}


def drifted(reference, clips, told=()):
    return {measure for (measure, _), each in seen(reference, clips, told).items() if each.drifted}


def test_quiet_clips_of_the_same_kind_differ_in_nothing(reference):
    for seed in range(20, 30):
        drawn = Drawn(seed)
        assert not drifted(reference, drawn.clips(200), drawn.told(150))


def test_a_look_makes_no_more_comparisons_than_alpha_is_shared_among(reference):
    drawn = Drawn(2)
    assert len(seen(reference, drawn.clips(200), drawn.told(150))) <= MEASURES


def test_ks_on_bins_is_the_two_sample_statistic_but_for_the_bins(reference):
    clips = Drawn(2).clips(200, {"brightness": 3.0})
    exact = stats.ks_2samp([each.numbers["brightness"] for each in clips], reference.rows()["brightness"]).statistic
    assert seen(reference, clips)["brightness", "ks"].value == pytest.approx(exact, abs=0.04)


def test_wasserstein_is_scipy_s_over_the_reference_s_spread(reference):
    clips = Drawn(2).clips(200, {"brightness": -20.0})
    rows = reference.rows()["brightness"]
    exact = stats.wasserstein_distance([each.numbers["brightness"] for each in clips], rows) / rows.std()
    assert seen(reference, clips)["brightness", "wasserstein"].value == pytest.approx(exact, rel=0.1)


def test_a_reference_of_one_frame_rate_notices_another_and_no_rounding(reference):
    assert drifted(reference, Drawn(2).clips(50, {"source_fps": -10.0})) == {"source_fps"}
    assert not drifted(reference, Drawn(2).clips(200, {"source_fps": 0.02}))


def test_a_change_tells_its_direction_and_share(reference):
    half = [*Drawn(2).clips(100), *Drawn(3).clips(100, {"brightness": -40.0})]
    found = seen(reference, half)["brightness", "ks"]
    assert found.drifted and found.change == pytest.approx(-20, abs=1) and found.was == pytest.approx(135, abs=1)
    assert found.share == pytest.approx(0.5, abs=0.06)


def test_a_difference_that_nobody_minds_is_none_however_many_clips_show_it(reference):
    assert not drifted(reference, Drawn(2).clips(3000, {"brightness": 0.5}))


def test_another_mouth_is_seen_in_the_embedding_alone(reference):
    other = np.concatenate([LIE[:7], LIE[7:] + np.tile([0.1, -0.1], 18)])
    assert drifted(reference, Drawn(2).clips(50, mouth=other)) == {"embedding"}


def test_a_shifted_mouth_lies_elsewhere(reference):
    shifted = LIE.copy()
    shifted[0] += 8 / 96
    found = seen(reference, Drawn(2).clips(50, mouth=shifted))
    assert found["place", "mean"].drifted and found["place", "mean"].change == pytest.approx(8 / 96, abs=0.01)
    assert not found["mirror", "mirror"].drifted


def test_a_mirrored_mouth_is_told_from_another_one(reference):
    mirrored, other = LIE.copy(), LIE.copy()
    mirrored[ODDS] *= -1
    other[ODDS] *= -1
    other[EVENS] += 0.5
    assert seen(reference, Drawn(2).clips(50, mouth=mirrored))["mirror", "mirror"].drifted
    assert not seen(reference, Drawn(2).clips(50, mouth=other))["mirror", "mirror"].drifted


def test_other_words_are_seen_and_the_same_words_are_not(reference):
    assert drifted(reference, Drawn(2).clips(200, words=WORDS[:6])) == {"words"}
    assert drifted(reference, Drawn(2).clips(200, words=("so", "many", "others"))) == {"words"}


def test_words_of_one_clip_count_as_one_draw():
    """A site whose clips say one thing over and over varies more from window to window than its words would alone."""
    drawn = Drawn(4)
    clips = [drawn.clip(words=WORDS[start : start + 3]) for start in np.random.default_rng(1).choice([0, 3, 6, 9], 400)]
    reference = Reference.of(clips, [], digest_of_data="")
    mix, words = reference.layout.mix, len(reference.layout.words)
    assert mix[0] / 3 == pytest.approx(words / 3 - 1, abs=0.4)
    assert mix[1] / mix[0] == pytest.approx(3, rel=0.1)  # times as much as independent words vary, the design effect


def test_doubt_is_seen_in_confidence_entropy_and_abstention(reference):
    found = drifted(reference, Drawn(2).clips(200, confidence=1.0, entropy=0.3))
    assert found == {"confidence", "entropy"}


def test_a_model_that_is_wrong_more_often_is_seen_where_people_tell_of_it(reference):
    drawn = Drawn(2)
    clips = drawn.clips(200)
    assert drifted(reference, clips, drawn.told(150, right=0.4)) == {"calibration", "wer", "cer"}
    assert not drifted(reference, clips, drawn.told(150, right=1.0)) & {"wer", "cer"}


def test_people_who_tell_of_errors_alone_make_no_model_worse(reference):
    drawn = Drawn(2)
    found = seen(reference, drawn.clips(200), drawn.told(60, right=0.0))
    assert not {"calibration", "wer", "cer"} & {measure for measure, _ in found}


def test_too_few_clips_are_not_compared(reference):
    assert not seen(reference, Drawn(2).clips(19))


def test_what_is_accepted_differs_from_itself_no_more_and_from_what_was(reference):
    dark = Block.of(Drawn(5).clips(200, {"brightness": -40.0}), [], reference)
    accepted = reference.accepted(dark, "site")
    assert not drifted(accepted, Drawn(6).clips(200, {"brightness": -40.0}))
    assert "brightness" in drifted(accepted, Drawn(7).clips(200))
