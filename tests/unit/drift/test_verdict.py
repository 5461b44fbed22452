import pytest

from lipsol.drift.comparison import Comparison
from lipsol.drift.verdict import judge
from lipsol.drift.wording import CHANGES, PLAIN
from services.monitor import wording


def found(measure, strength=10.0, change=0.0, was=0.0, share=1.0, method="ks"):
    """A comparison so many times over its threshold."""
    return Comparison(measure, method, strength / 10, 0.1, share, strength > 1, change, was)


LOOK = found("embedding", 30.0, method="mmd")
DARK = found("brightness", 12.0, -40.0, 135.0)
DIMMER = found("brightness", 6.0, -9.0, 135.0)
TURNED = found("yaw_deg", 20.0, 21.0, 8.0)
DOUBT = found("entropy", 8.0, 0.2, 0.1)
SURER = found("confidence", 4.0, 0.1, 0.8)
WORDS = found("words", 2.5, method="chi-square")
PLACE = found("place", 2.0, 0.08, method="mean")
MIRROR = found("mirror", 2.0, method="mirror")
SLOW = found("source_fps", 12.0, -10.0, 25.0)
SMALL = found("mouth_px", 20.0, -20.0, 40.0)
BLUR = found("sharpness", 9.0, -25.0, 30.0)
OTHER_YAW = found("yaw_deg", 15.0, -14.0, 8.0)
WRONG = found("wer", 3.0, 0.3, 0.05, method="ratio")


@pytest.mark.parametrize(
    ("seen", "kind", "remedy", "or_else"),
    [
        ([DARK, DOUBT], "camera", "tell-users", ()),
        ([BLUR, LOOK, DOUBT], "camera", "tell-users", ()),
        ([SMALL, LOOK], "camera", "tell-users", ()),
        ([SLOW], "camera", "tell-users", ()),
        ([TURNED, LOOK, DOUBT], "camera", "tell-users", ()),
        ([DIMMER], "camera", "tell-users", ()),
        ([DARK, LOOK], "camera", "tell-users", ("speaker",)),
        ([LOOK, DIMMER, OTHER_YAW, DOUBT, WORDS], "speaker", "retrain", ()),
        ([found("embedding", 2.0, method="mmd"), DIMMER], "camera", "tell-users", ("speaker",)),
        ([WORDS], "mix", "nothing", ()),
        ([WORDS, SURER], "mix", "nothing", ()),
        ([WORDS, found("abstained", 1.3, 0.3, 0.1)], "mix", "retrain", ("model",)),
        ([DOUBT], "model", "roll-back", ()),
        ([DOUBT, WORDS], "model", "roll-back", ()),
        ([WRONG], "model", "roll-back", ()),
        ([SURER], "model", "roll-back", ("mix",)),
        ([PLACE, LOOK, DOUBT], "software", "repair", ()),
        ([MIRROR, LOOK, DOUBT], "software", "repair", ()),
        ([PLACE, TURNED, LOOK], "camera", "tell-users", ("software",)),
        ([PLACE, DARK], "software", "repair", ("camera",)),
    ],
    ids=lambda part: "+".join(each.measure for each in part) if isinstance(part, list) else str(part),
)
def test_a_kind_is_known_by_its_mark(seen, kind, remedy, or_else):
    verdict = judge(seen)
    assert verdict is not None
    assert (verdict.kind, verdict.remedy, verdict.or_else) == (kind, remedy, or_else)
    assert ("look before you act" in verdict.said) == bool(or_else)


def test_nothing_that_drifted_is_no_finding():
    assert judge([found("brightness", 0.9, -3.0, 135.0), found("words", 0.5)]) is None


def test_evidence_is_strongest_first_and_each_measure_once():
    verdict = judge([WORDS, found("brightness", 3.0, -40.0, 135.0, method="psi"), DARK])
    assert verdict is not None
    assert [each.measure for each in verdict.evidence] == ["brightness", "words"]
    assert verdict.evidence[0] == DARK


def test_the_sentence_tells_what_was_and_what_is():
    verdict = judge([DARK])
    assert verdict is not None
    assert verdict.said == (
        "Pictures are not what they were: darker (95 instead of 135 of 255). Tell the people at the cameras."
    )


def test_a_few_far_clips_among_many_are_known_as_far():
    """A quarter of the window is dark: its mean is hardly less, yet those clips are much darker."""
    verdict = judge([found("brightness", 3.0, -10.0, 135.0, share=0.25), LOOK])
    assert verdict is not None and (verdict.kind, verdict.or_else) == ("camera", ("speaker",))


def test_what_stable_sees_as_well_is_not_the_canary_s():
    assert judge([DARK, LOOK], canary_against=[DARK, LOOK]) is None
    verdict = judge([DARK, DOUBT], canary_against=[DARK])
    assert verdict is not None and (verdict.kind, verdict.remedy) == ("model", "roll-back")


def test_every_measure_has_its_words():
    from lipsol.drift.layout import FEATURES

    named = {*CHANGES, *PLAIN}
    assert named >= {*FEATURES, "embedding", "place", "mirror", "words", "abstained", "calibration", "wer", "cer"}
    assert all(wording.name_of(measure) != measure or measure in named for measure in named)
