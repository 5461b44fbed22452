"""The loop: when it stops, what it keeps, and where its curve ends."""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from lipsol.training.checkpoints import Keeper, points
from lipsol.training.examples import IGNORED, Batch
from lipsol.training.loop import Checks, Course, Manner, cross_entropy, descend
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


class _Kernels(TorchDispatchMode):
    """What torch is asked for, by name."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, kernel, types, args=(), kwargs=None):
        self.names.add(kernel.overloadpacket.__name__)
        return kernel(*args, **(kwargs or {}))


@pytest.mark.parametrize(("device", "lost"), [("cuda", "nll_loss_forward"), ("cpu", "nll_loss2d_forward")])
def test_a_gpu_is_asked_for_no_kernel_that_rounds_by_chance_and_a_cpu_for_the_one_it_ever_had(device, lost):
    with FakeTensorMode(), _Kernels() as kernels:
        labels = torch.zeros(2, 7, dtype=torch.int64, device=device)
        cross_entropy(torch.zeros(2, 7, 5, device=device), labels, 0.05)
    assert {name for name in kernels.names if "nll_loss" in name} == {lost}


def test_the_loss_of_a_gpu_is_that_of_a_cpu():
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 7, 5), torch.randint(0, 5, (3, 7))
    labels[1, 2:] = IGNORED
    row = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, label_smoothing=0.05
    )
    torch.testing.assert_close(cross_entropy(logits, labels, 0.05), row)
