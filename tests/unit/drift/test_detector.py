import pytest

from lipsol.drift.budget import BLOCK, Sensitivity
from lipsol.drift.detector import Detector
from lipsol.errors import BadInput
from tests.unit.drift.observations_made import Drawn, reference_made

S = Sensitivity()
DARK = {"brightness": -40.0}


@pytest.fixture(scope="module")
def reference():
    return reference_made()


def flow(detector, clips, start=0.0):
    """Each look's verdict, as clips come one a second."""
    return [detector.look() for n, clip in enumerate(clips) if detector.add(clip, start + n)]


def test_a_quiet_stream_gives_no_verdict_and_a_dark_one_does_within_two_blocks(reference):
    detector, drawn = Detector(reference, S), Drawn(2)
    assert not any(flow(detector, drawn.clips(400)))
    found = flow(detector, drawn.clips(50, DARK), 400.0)
    assert found[-1] is not None and found[-1].kind == "camera"
    assert detector.clips == 450


def test_a_first_look_waits_until_there_is_a_window(reference):
    detector = Detector(reference, S)
    assert flow(detector, Drawn(2).clips(BLOCK, DARK)) == [None]
    assert not detector.compared()


def test_what_is_slight_is_found_in_the_long_window(reference):
    detector = Detector(reference, S)
    found = flow(detector, Drawn(4).clips(1000, {"brightness": -2.2}))
    assert not any(found[:8]) and found[-1] is not None


def test_clips_survive_their_block_as_sums_alone(reference):
    detector = Detector(reference, S)
    flow(detector, Drawn(2).clips(60))
    assert {type(block).__name__ for block, _ in detector._closed} == {"Block"}
    assert detector.window().clips == 50 and detector.blocks == 2


def test_a_window_is_the_last_closed_blocks_and_tells_its_span(reference):
    detector = Detector(reference, S)
    assert detector.span() == (0.0, 0.0) and detector.window().clips == 0
    flow(detector, Drawn(2).clips(260))
    assert (detector.window().clips, detector.span()) == (200, (50.0, 249.0))
    assert (detector.window(2).clips, detector.span(2)) == (50, (200.0, 249.0))


def test_a_restored_detector_goes_on_as_if_nothing_had_been(reference):
    drawn = Drawn(2)
    clips, told = drawn.clips(333, DARK), drawn.told(40)
    whole, first = Detector(reference, S), Detector(reference, S)
    for detector in (whole, first):
        flow(detector, clips[:210])
        for each in told:
            detector.tell(each)
    again = Detector.from_bytes(first.to_bytes(), reference, S)
    assert flow(whole, clips[210:], 210.0) == flow(again, clips[210:], 210.0)
    assert again.to_bytes() == whole.to_bytes()
    assert len(again.to_bytes()) < 250_000


def test_a_state_of_another_layout_or_none_at_all_is_refused(reference):
    state = Detector(reference, S).to_bytes()
    with pytest.raises(BadInput, match="blocks of another layout"):
        Detector.from_bytes(state, reference_made(seed=9), S)
    for data in (b"", b"[]", b'{"clips": 1, "spans": [[0, 0]], "blocks": ["aGVsbG8="]}'):
        with pytest.raises(BadInput):
            Detector.from_bytes(data, reference, S)


def test_an_accepted_window_ends_the_finding(reference):
    detector = Detector(reference, S)
    assert flow(detector, Drawn(2).clips(200, DARK))[-1] is not None
    detector.reference = reference.accepted(detector.window(), "site")
    assert not any(flow(detector, Drawn(3).clips(400, DARK), 200.0))


def test_what_stable_sees_too_is_not_the_canary_s(reference):
    stable, canary = Detector(reference, S), Detector(reference, S)
    flow(stable, Drawn(2).clips(100, DARK))
    flow(canary, Drawn(3).clips(100, DARK))
    assert canary.look() is not None
    assert canary.look(canary_against=stable.compared()) is None
