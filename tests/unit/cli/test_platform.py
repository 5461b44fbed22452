import time

from lipsol.errors import Transient
from services.cli.platform import Asked, read_all, read_one
from tests.unit.cli.platforms import ScriptedPlatform, clip


class UnevenPlatform(ScriptedPlatform):
    """The first clips take longest, so that later ones overtake them."""

    def _answer(self, script, *how):
        time.sleep(0.05 if "slow" in script else 0)
        return super()._answer(script, *how)


def test_outcomes_come_in_the_order_asked_though_later_clips_are_ready_first(tmp_path):
    texts = ["slow one", "two", "three", "slow four", "five"]
    asked = [Asked(clip(tmp_path, f"{n}.mp4", text)) for n, text in enumerate(texts)]
    assert [outcome.result.text for outcome in read_all(UnevenPlatform(), asked, 3)] == texts


def test_no_more_clips_are_in_work_than_allowed(tmp_path):
    platform = UnevenPlatform()
    asked = [Asked(clip(tmp_path, f"{n}.mp4", "slow")) for n in range(8)]
    assert len(list(read_all(platform, asked, 2))) == 8
    assert platform.most_at_once == 2


def test_who_stops_listening_leaves_the_rest_unread(tmp_path):
    platform = UnevenPlatform()
    outcomes = read_all(platform, [Asked(clip(tmp_path, f"{n}.mp4", "slow")) for n in range(50)], 2)
    next(outcomes)
    outcomes.close()
    assert len(platform.asked) < 8


class FaintPlatform(ScriptedPlatform):
    """Fails for the moment, a given number of times."""

    def __init__(self, falls):
        super().__init__()
        self.left = falls

    def read(self, data, **how):
        self.left -= 1
        if self.left >= 0:
            raise Transient("no reading came within 30 s")
        return super().read(data, **how)


def test_what_fails_for_the_moment_is_tried_again(tmp_path):
    outcome = read_one(FaintPlatform(2), Asked(clip(tmp_path, "a.mp4", "bin")))
    assert outcome.result.text == "bin"


def test_what_fails_again_and_again_is_a_fault(tmp_path):
    outcome = read_one(FaintPlatform(9), Asked(clip(tmp_path, "a.mp4", "bin")))
    assert outcome.result is None
    assert isinstance(outcome.fault, Transient)
