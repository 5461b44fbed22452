"""What the batching bench says follows from its turns, and both sides are asked the same."""

import json

import numpy as np
import pytest

from lipsol.proto.oip import inference_pb2 as pb
from services.inference.oip import bodies, wire
from tests.benchmarks.batching import SIDES, Turn, figures_of, over_bentoml, over_grpc, over_rest
from tests.benchmarks.clients import Load
from tests.services_made import mouth_of


def turn(**rates: float) -> dict[str, Turn]:
    return {side: Turn(rates.get(side, 50.0), 0.001 * rates.get(side, 50.0)) for side in SIDES}


def test_a_ratio_is_the_median_of_the_turns_own_and_not_of_their_medians():
    turns = [turn(bentoml=10, rest=20), turn(bentoml=100, rest=150), turn(bentoml=50, rest=90)]
    found = {figure.name: figure for figure in figures_of(turns)}
    assert found["rest_rate_over_bentoml"].value == 1.8
    assert found["rest_rate_over_bentoml"].met
    assert (found["rest_p99_over_bentoml"].value, found["rest_p99_over_bentoml"].met) == (1.8, False)
    assert found["bentoml_rate"].value == 50.0
    assert found["batched_over_unbatched"].value == 1.8


def test_a_turn_counts_what_was_answered_in_its_time_and_the_slow_end_of_all():
    made = Turn.of(Load([0.5] * 99 + [2.0], answered=40))
    assert made.rate == pytest.approx(40 / 4.0)
    assert 0.5 < made.p99_s < 2.0


def test_all_three_are_asked_for_the_same_mouth():
    mouth = mouth_of(frames=4)
    head, _, body = over_rest(mouth).partition(b"\r\n\r\n")
    told = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert int(told["content-length"]) == len(body)
    rest = bodies.parsed(body, int(told[bodies.HEADER_LENGTH]), "m", "", 0.0).request.inputs
    rpc = wire.parsed(pb.ModelInferRequest.FromString(over_grpc(mouth)), 0.0).inputs
    for inputs in (rest, rpc):
        assert set(inputs) == {"mouth", "lips", "jaw"}
        assert all(np.array_equal(inputs[name][0], getattr(mouth, name)) for name in inputs)
    plain = over_bentoml(mouth).partition(b"\r\n\r\n")[2]
    assert plain == mouth.mouth.tobytes() + mouth.lips.tobytes() + mouth.jaw.tobytes()
    assert json.loads(body[: int(told[bodies.HEADER_LENGTH])])["inputs"][0]["shape"] == [1, 4, 96, 96]
