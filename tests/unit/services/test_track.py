"""The split of clips between the tracks."""

from services.preprocess.track import track_of

NAMES = [f"clip-{n}" for n in range(4000)]


def test_without_a_rollout_everything_is_read_by_the_stable_track():
    assert {track_of(name) for name in NAMES} == {"stable"}


def test_a_share_is_held_within_sampling_noise():
    canary = sum(track_of(name, 0.1) == "canary" for name in NAMES)
    assert abs(canary - 400) < 4 * (4000 * 0.1 * 0.9) ** 0.5


def test_a_larger_share_keeps_all_that_a_smaller_one_had_sent_to_the_canary():
    small = {name for name in NAMES if track_of(name, 0.05) == "canary"}
    assert small < {name for name in NAMES if track_of(name, 0.5) == "canary"}


def test_a_full_share_sends_everything_to_the_canary():
    assert {track_of(name, 1.0) for name in NAMES} == {"canary"}
