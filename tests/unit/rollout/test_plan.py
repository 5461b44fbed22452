"""A rollout's plan: what can't be meant is refused."""

import json

import pytest

from lipsol.errors import BadInput
from lipsol.rollout.plan import STANDARD, Plan, Step

CANARY = {"kind": "canary", "weight": 5, "readings": 10}


def plan(**changed: object) -> str:
    return json.dumps({"way": "canary", "steps": [CANARY], "deadline_s": 600, "expiry_s": 30, **changed})


def test_a_plan_is_read_as_the_chart_writes_it():
    assert Plan.from_json(plan()) == Plan("canary", (Step("canary", 5.0, 10),), 600.0, 30.0)
    assert STANDARD.renew_s * 3 == STANDARD.expiry_s


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"steps": []}, "without steps"),
        ({"steps": [{**CANARY, "weight": 0}]}, "weight of 0 %"),
        ({"steps": [{**CANARY, "weight": 101}]}, "weight of 101 %"),
        ({"steps": [{**CANARY, "readings": 0}]}, "0 readings"),
        ({"steps": [{**CANARY, "weight": 50}, CANARY]}, r"\[50.0, 5.0\]"),
        ({"steps": [{**CANARY, "kind": "shadow"}]}, "no user is ever read for"),
        ({"way": "shadow"}, "users are read for"),
        ({"way": "blueGreen"}, r"weights \[5"),
        ({"expiry_s": 5}, "expires after 5 s"),
        ({"steps": [{**CANARY, "least_s": 600}]}, "deadline of 600 s"),
        ({"wat": 1}, "wat"),
        ({"way": "purple"}, "way"),
    ],
)
def test_a_plan_that_can_not_be_meant_is_refused_naming_the_value(changed, said):
    with pytest.raises(BadInput, match=said):
        Plan.from_json(plan(**changed))


def test_what_is_no_json_is_refused():
    with pytest.raises(BadInput, match="no plan"):
        Plan.from_json("{")
