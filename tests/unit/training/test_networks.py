import numpy as np
import pytest
import torch

from lipsol.model.networks import (
    EYE_PX,
    BothWays,
    Eye,
    Familiarity,
    Member,
    SentenceModel,
    Sizes,
    WordHead,
    WordModel,
    near_share,
)
from lipsol.training.examples import Batch
from lipsol.training.loop import Course, Manner, descend
from lipsol.training.plan import Schedule

NOTHING = Batch(*[torch.zeros(1)] * 7)
SIZES = Sizes(components=6, width=16, conv=16, hidden=8, words=5, characters=7, phones=3)


def _inputs(lengths):
    frames = max(lengths)
    mouth = torch.randint(0, 256, (len(lengths), frames, 96, 96), dtype=torch.uint8)
    lips, jaw = torch.randn(len(lengths), frames, 40, 2) / 10, torch.randn(len(lengths), frames, 16, 2) / 10
    return mouth, lips, jaw, torch.tensor(lengths)


@pytest.fixture
def parts():
    torch.manual_seed(0)
    eye = Eye(torch.zeros(EYE_PX**2), torch.randn(EYE_PX**2, 6) / EYE_PX)
    return (
        eye,
        Member(SIZES).eval(),
        Member(SIZES).eval(),
        Familiarity(torch.zeros(118), torch.eye(118), torch.tensor(1.0)),
    )


@pytest.mark.parametrize("kind", ["sentences", "words"])
def test_padding_never_changes_an_answer(parts, kind):
    eye, near, far, familiarity = parts
    if kind == "sentences":
        model = SentenceModel(eye, near, Member(SIZES).eval(), far, familiarity).eval()
    else:
        model = WordModel(eye, WordHead(near).eval(), WordHead(far).eval(), familiarity).eval()
    mouth, lips, jaw, length = _inputs([9, 5, 2])
    with torch.no_grad():
        together = model(mouth, lips, jaw, length)
        for n, frames in enumerate(length.tolist()):
            alone = model(
                mouth[n : n + 1, :frames], lips[n : n + 1, :frames], jaw[n : n + 1, :frames], length[n : n + 1]
            )
            for batched, single in zip(together, alone, strict=True):
                whole = batched[n][:frames] if batched.dim() == 3 else batched[n]
                torch.testing.assert_close(whole, single[0], atol=1e-5, rtol=1e-5)


def test_both_ways_is_a_bidirectional_gru():
    torch.manual_seed(0)
    ours, theirs = BothWays(4, 3), torch.nn.GRU(4, 3, batch_first=True, bidirectional=True)
    for name, value in ours.ahead.named_parameters():
        getattr(theirs, name).data.copy_(value)
    for name, value in ours.back.named_parameters():
        getattr(theirs, f"{name}_reverse").data.copy_(value)
    x = torch.randn(2, 6, 4)
    torch.testing.assert_close(ours(x, torch.tensor([6, 6])), theirs(x)[0])


def test_a_stranger_is_read_by_the_far_member_alone():
    assert near_share(torch.tensor(3.0)) < 1e-4
    assert near_share(torch.tensor(-3.0)) == pytest.approx(1.0, abs=1e-4)


def test_a_far_member_does_not_see_the_clips_own_mean_picture():
    torch.manual_seed(0)
    far = Member(Sizes(components=6, still=False))
    mask, components, points = torch.ones(1, 8, 1), torch.randn(1, 8, 6), torch.randn(1, 8, 112)
    moved = far.streams(components + 5, points + 0.3, mask)
    torch.testing.assert_close(moved, far.streams(components, points, mask), atol=1e-4, rtol=0)


def test_descending_twice_from_one_seed_gives_the_same_weights_and_a_lower_loss():
    def trained():
        torch.manual_seed(1)
        model, losses = torch.nn.Linear(3, 1), []
        x = torch.randn(40, 3)
        y = x @ torch.tensor([[1.0], [-2.0], [0.5]])

        def loss_of(net, _):
            loss = (net(x) - y).square().mean()
            losses.append(loss.item())
            return loss

        course = Course(10, lambda _: [NOTHING] * 10, np.random.default_rng(0))
        kept = descend(model, course, loss_of, Schedule(30, rate=0.05), Manner())
        return kept.weight.detach(), losses

    one, losses = trained()
    other, _ = trained()
    assert torch.equal(one, other) and losses[-1] < 0.02 * losses[0]
