"""The loop: when it stops, what it keeps, and where its curve ends."""

import numpy as np
import pytest
import torch

from lipsol.training.checkpoints import Keeper, points
from lipsol.training.examples import Batch
from lipsol.training.loop import Checks, Course, Manner, descend
from lipsol.training.plan import Schedule

NOTHING = Batch(*[torch.zeros(1)] * 7)


def _descended(manner, checks=None, epochs=8):
    torch.manual_seed(0)
    course = Course(4, lambda _: [NOTHING] * 4, np.random.default_rng(0))

    def loss(net, _):
        return net(torch.ones(1, 3)).square().mean()

    return descend(torch.nn.Linear(3, 1), course, loss, Schedule(epochs), manner, checks)


def test_a_member_that_gets_no_better_stops_and_its_best_is_kept(tmp_path):
    values, weights = iter([0.5, 0.3, 0.4, 0.6, 0.1]), []

    def measure(net):
        weights.append(net.weight.detach().clone())
        return next(values)

    heard = []
    checks = Checks(measure, 1, 2, lambda epoch, value: heard.append((epoch, value)))
    kept = _descended(Manner(Keeper(tmp_path, "near")), checks)
    assert heard == [(1, 0.5), (2, 0.3), (3, 0.4), (4, 0.6)]
    assert torch.equal(kept.weight, weights[1]) and not torch.equal(kept.weight, weights[3])
    assert [line["validation_wer"] for line in points(tmp_path / "near.curve.jsonl")] == [0.5, 0.3, 0.4, 0.6]
    again = _descended(Manner(Keeper(tmp_path, "near")), checks)
    assert torch.equal(again.weight, kept.weight)


def test_measuring_changes_no_weight():
    measured = _descended(Manner(), Checks(lambda _: 0.5, 2))
    assert torch.equal(measured.weight, _descended(Manner()).weight)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_descends_as_well(precision):
    half, single = _descended(Manner(precision=precision)), _descended(Manner())
    assert not torch.equal(half.weight, single.weight)
    torch.testing.assert_close(half.weight, single.weight, atol=5e-3, rtol=0)


def test_a_curve_ends_where_its_checkpoint_was_written(tmp_path):
    keeper = Keeper(tmp_path, "near")
    _descended(Manner(keeper), epochs=3)
    keeper.tell({"step": 16, "epoch": 4, "loss": 1.0})
    with keeper.curve.open("a") as torn:
        torn.write('{"step": 2')
    assert [line["step"] for line in points(keeper.curve)] == [4, 8, 12, 16]
    assert keeper.load()["epoch"] == 3
    assert [line["step"] for line in points(keeper.curve)] == [4, 8, 12]
