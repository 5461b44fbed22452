"""Which weights a clip may have gone by, while they change."""

import pytest

from lipsol.traffic import PLACES, place
from tests.scenarios.ledger import Sent
from tests.scenarios.traffic import FOLLOWED_S, Step, off_the_steps, ruling

STEPS = [Step(100.0, 0.0), Step(200.0, 10.0), Step(300.0, 50.0)]
WAY = FOLLOWED_S / 2  # within the time that a policy may be on its way


@pytest.mark.parametrize(
    ("began_at", "ended_at", "weights"),
    [
        (150.0, 151.0, [0.0]),
        (199.0, 201.0, [0.0, 10.0]),
        (200.0 + WAY, 210.0, [0.0, 10.0]),
        (210.0, 220.0, [10.0]),
        (299.0, 300.0 + WAY, [10.0, 50.0]),
        (400.0, 401.0, [50.0]),
    ],
    ids=["settled", "as it changes", "on its way", "settled again", "as it changes again", "the last one"],
)
def test_a_clip_goes_by_a_weight_that_ruled_while_it_was_on_its_way(began_at, ended_at, weights):
    assert ruling(Sent("key", "s", began_at=began_at, ended_at=ended_at), STEPS) == weights


def test_a_clip_is_off_only_where_no_weight_that_may_have_ruled_explains_its_way():
    name = next(name for n in range(1000) if 0.1 < place(name := f"session-{n}") / PLACES < 0.5)
    changing = Sent("a", name, clip_ids=["a"], began_at=299.0, ended_at=301.0)
    settled = Sent("b", name, clip_ids=["b"], began_at=210.0, ended_at=211.0)
    assert off_the_steps([changing], STEPS, {name: "canary"}) == []
    assert off_the_steps([settled], STEPS, {name: "stable"}) == []
    assert len(off_the_steps([settled], STEPS, {name: "canary"})) == 1
