import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from lipsol.clips.clip import Clip
from lipsol.drift.features import Observation, Told
from lipsol.drift.verdict import Kind
from tests.detection.__main__ import missed, noisy
from tests.detection.distortions import MOUTHS, PICTURES, TURNED_DEG, Head
from tests.detection.document import placed
from tests.detection.false_alarms import false_alarms, paged, told_of, week_of
from tests.detection.following import QUIET, WITHIN, Detected, changed, detect, drawn, follow, reference_of
from tests.detection.pools import LETTERS, Pools, Seen, Shift
from tests.services_made import mouth_of

WORDS = ("bin", "lay", "place", "set")


def clips(number: int, brightness: float = 120.0, confidence: float = 0.9, seed: int = 0) -> tuple[Seen, ...]:
    """Clips of made figures, of one camera; the more confident are right."""
    chance = np.random.default_rng(seed)
    return tuple(clip(chance, brightness, confidence) for _ in range(number))


def clip(chance: np.random.Generator, brightness: float, confidence: float) -> Seen:
    word = str(chance.choice(WORDS))
    sure = float(np.clip(chance.normal(confidence, 0.05), 0.0, 1.0))
    numbers = {"brightness": float(chance.normal(brightness, 4.0)), "mouth_px": float(chance.normal(40.0, 1.0))}
    observed = Observation(numbers, (), {"confidence": sure, "length": 20.0}, sure < 0.5, {word: 1})
    return Seen(observed, Told(sure, sure > 0.5, int(sure < 0.5), 1, 0, 3), "s1", word)


def pools(*shifts: Shift) -> Pools:
    return Pools(clips(100), clips(100, seed=1), shifts)


def film(frames: int = 75) -> Clip:
    """Frame n shows n everywhere, so that whoever looks knows which frame it is."""
    return Clip(np.stack([np.full((48, 64, 3), n, np.uint8) for n in range(frames)]))


HEAD = Head(32.0, 24.0, 10.0, 12.0)


@pytest.mark.parametrize(
    ("brightness", "confidence", "kind"), [(70.0, 0.9, "camera"), (120.0, 0.3, "model")], ids=["dark", "worse"]
)
def test_a_change_is_told_within_200_clips_by_its_name(brightness: float, confidence: float, kind: Kind):
    shift = Shift("made", kind, (clips(100, brightness, confidence, seed=2),))
    made = pools(shift)
    detected = detect(reference_of(made.validation), made, shift, seeds=2)
    assert detected.median_delay is not None
    assert detected.median_delay <= WITHIN
    assert (detected.detected, detected.named, detected.named_right, detected.before) == (1.0, kind, True, 0)


def test_no_change_is_told_of_as_none():
    made = pools(Shift("none", "camera", (clips(100, seed=1),)))
    found = changed(reference_of(made.validation), made.clean, made.shifts[0], seed=0)
    assert (found.delay, found.kind, found.before) == (None, "", 0)


def test_a_wrong_name_is_no_right_one():
    shift = Shift("made", "speaker", (clips(100, 70.0, seed=2),))
    made = pools(shift)
    detected = detect(reference_of(made.validation), made, shift, seeds=1)
    assert (detected.named, detected.named_right, detected.share_right) == ("camera", False, 0.0)


def test_what_is_told_before_the_change_is_counted_and_is_no_detection():
    shift = Shift("made", "camera", (clips(100, 70.0, seed=2),))
    found = changed(reference_of(clips(100, 160.0)), clips(100, seed=1), shift, seed=0)
    assert found.before == 1
    assert found.delay is None


def test_quiet_weeks_page_nobody_and_noisy_ones_are_counted():
    quiet = clips(120)
    assert week_of(quiet, None, 0, 500) == []
    assert false_alarms(quiet, reference_of(quiet), weeks=1, clips=500).pages == 0
    assert false_alarms(clips(100, 70.0), reference_of(quiet), weeks=1, clips=500).by == {"camera: brightness": 1}
    chance = np.random.default_rng(0)
    stream = [*drawn(quiet, QUIET, chance), *drawn(clips(100, 70.0), 200, chance)]
    assert [began.verdict.kind for _, began in follow(reference_of(quiet), stream, chance)] == ["camera"]


def test_a_rate_of_false_pages_has_its_interval():
    told = paged(weeks=30 / 7, clips=1, by={"camera: brightness": 3})
    assert told.a_month == pytest.approx(3.0)
    assert (told.low, told.high) == (pytest.approx(0.619, abs=1e-3), pytest.approx(8.767, abs=1e-3))  # Garwood's table
    assert paged(weeks=30 / 7, clips=1, by={}).high == pytest.approx(3.689, abs=1e-3)


def test_other_words_are_of_few_letters_and_of_real_clips_alone():
    chance = np.random.default_rng(0)
    made = [clip(chance, 120.0, 0.9) for _ in range(80)]
    letters = [Seen(each.observed, each.told, "s1", "abcdefghij"[n % 10]) for n, each in enumerate(made)]
    weights = Shift("words", "mix", (tuple(letters),), mix=True).weights(letters, chance)
    assert weights.sum() == pytest.approx(1.0)
    assert len({each.letter for each, weight in zip(letters, weights, strict=True) if weight}) == LETTERS


def test_dropped_frames_are_shown_by_the_one_before_and_counted():
    clip = PICTURES["gappy"](film(), HEAD, np.random.default_rng(0))
    shown = clip.frames[:, 0, 0, 0]
    assert len(shown) == 75
    assert 2 <= clip.dropped == 75 - len(set(shown.tolist())) <= 15
    assert (np.diff(shown.astype(int)) >= 0).all()


def test_a_slow_camera_is_brought_to_25_frames_a_second():
    clip = PICTURES["slow"](film(), HEAD, np.random.default_rng(0))
    assert (len(clip.frames), clip.source_fps, clip.dropped) == (75, pytest.approx(15.0), 0)
    assert len(set(clip.frames[:, 0, 0, 0].tolist())) == 45


def test_a_turn_moves_the_middle_of_the_face_and_leaves_what_is_around_it():
    across = np.tile(np.arange(64, dtype=np.uint8)[np.newaxis, :, np.newaxis], (48, 1, 3))
    turned = PICTURES["turned"](Clip(across[np.newaxis]), HEAD, np.random.default_rng(0)).frames[0]
    assert (turned[:, 0] == across[:, 0]).all()
    came_from = 32.0 - np.sin(np.radians(TURNED_DEG)) * 11.5
    assert turned[24, 32, 0] == pytest.approx(came_from, abs=1.0)


def test_mirrored_twice_is_as_before_and_a_shift_goes_with_its_points():
    mouth = mouth_of()
    again = MOUTHS["mirrored"](MOUTHS["mirrored"](mouth))
    assert (again.mouth == mouth.mouth).all() and (again.lips == mouth.lips).all()
    shifted = MOUTHS["shifted"](mouth)
    assert (shifted.mouth[:, :, 8:] == mouth.mouth[:, :, :-8]).all()
    assert np.allclose(shifted.lips[..., 0] - mouth.lips[..., 0], 8 / 96, atol=1e-5)


def test_what_was_measured_stands_between_the_marks():
    page = "before\n<!-- detection -->\nof a former run\n<!-- end -->\nafter\n"
    found = Detected("made", "camera", 50.0, 1.0, "camera", True, 1.0, 0)
    entry = json.loads(json.dumps({**asdict(found), "seeds": 1, "machine": "a made one, load 3.1 at the start"}))
    told = placed(page, [entry], None)
    assert placed(told, [], None) == told
    alarms = {**asdict(paged(weeks=30 / 7, clips=1, by={})), "machine": "a made one"}
    both = placed(told, [], alarms)
    assert both == placed(both, [entry], None) == placed(page, [entry], alarms)
    assert "| made | 50 | 100% | camera | camera | 100% |" in told
    assert "former" not in told
    assert "load" not in told
    assert told.startswith("before\n<!-- detection -->\n") and told.endswith("<!-- end -->\nafter\n")
    with pytest.raises(ValueError, match="put them where the figures belong"):
        placed("no marks", [entry], None)


def test_a_bound_that_is_broken_is_named():
    good = Detected("made", "camera", 50.0, 1.0, "camera", True, 1.0, 0)
    late, wrong = replace(good, kind="late", median_delay=225.0), replace(good, kind="wrong", named_right=False)
    unseen = replace(good, kind="unseen", median_delay=None)
    assert missed([good] * 8 + [wrong] * 2) == []
    assert missed([good] * 7 + [wrong] * 3) == ["named wrong, and 80% are to be named right: wrong, wrong, wrong"]
    assert missed([good, late, unseen]) == ["not told within 200 clips (median): late, unseen"]
    assert noisy(paged(weeks=30 / 7, clips=1, by={"camera: brightness": 1})) == []
    assert noisy(paged(weeks=30 / 7, clips=1, by={"camera: brightness": 2})) == [
        "2.00 false pages a month, and 1 is the bound"
    ]


def test_what_is_summed_beforehand_tells_what_clips_one_by_one_do():
    seen, reference = clips(60, 70.0), reference_of(clips(60))
    fast = list(told_of(seen, reference, 500, np.random.default_rng(0)))
    slow = [
        began for _, began in follow(reference, drawn(seen, 500, np.random.default_rng(0)), np.random.default_rng(1))
    ]
    assert [each.verdict.kind for each in fast] == [each.verdict.kind for each in slow] == ["camera"]
    assert fast[0].verdict.evidence[0].value == pytest.approx(slow[0].verdict.evidence[0].value, rel=0.05)
